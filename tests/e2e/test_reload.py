"""A running daemon takes over other rules, by signal and over HTTP, and keeps the old ones where the file is wrong."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.process import Daemon, wait_for

CONFIG = """\
model: delays
console: false
evaluate: 1s
collect: {interval: 1s, gpu: false, container: false}
default_rules: false
"""
BUSY = "rules:\n  - {name: %s, metric: memory_utilization_ratio, match: {scope: host}, %s}\n"


def rewrite(daemon: Daemon, rules: str) -> None:
    (daemon.folder / "watchkeeper.yaml").write_text(f"listen: 127.0.0.1:{daemon.port}\n{CONFIG}{rules}")


def reload(daemon: Daemon) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{daemon.url}/-/reload", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def alerts(daemon: Daemon) -> list[tuple[str, str]]:
    with urllib.request.urlopen(f"{daemon.url}/api/v1/alerts", timeout=30) as reply:
        return [(alert["rule"], alert["state"]) for alert in json.load(reply)["alerts"]]


def metric(daemon: Daemon, name: str) -> float:
    with urllib.request.urlopen(f"{daemon.url}/metrics", timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"watchkeeper_{name} ")))


def test_survives_a_bad_file_at_a_reload(tmp_path: Path) -> None:
    with Daemon(tmp_path, CONFIG + BUSY % ("busy", "above: 0"), by_command=True) as daemon:
        wait_for(lambda: alerts(daemon) == [("busy", "firing")], "the first rule fires")

        rewrite(daemon, BUSY % ("busy", "above: [1, 2]"))
        status, reply = reload(daemon)
        assert status == 400
        assert "watchkeeper.yaml:8: rule 'busy': above" in reply["error"]
        assert metric(daemon, "config_last_reload_successful") == 0
        assert alerts(daemon) == [("busy", "firing")]

        rewrite(daemon, BUSY % ("busy", "above: 0, for: 10m"))
        assert reload(daemon) == (200, {"rules": 1, "changed": True, "restart": []})
        assert alerts(daemon) == [("busy", "pending")], "it would not fire yet by the longer time"
        assert metric(daemon, "config_last_reload_successful") == 1

        rewrite(daemon, BUSY % ("renamed", "above: 0") + "retention: {events: 1d}\n")
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: alerts(daemon) == [("renamed", "firing")], "the signal's rule fires, and the old one is gone")
        assert daemon.process.poll() is None
        wait_for(lambda: "restart Watchkeeper for what else changed: retention" in daemon.log.read_text(), "it is said")
        with urllib.request.urlopen(f"{daemon.url}/api/v1/alerts", timeout=30) as reply_:
            changes = json.load(reply_)["transitions"]
        seen = [(row["rule"], row["after"], row["reason"]) for row in reversed(changes)]
        assert seen == [
            ("busy", "firing", "breached"),
            ("busy", "pending", "rule_changed"),
            ("busy", "inactive", "rule_removed"),
            ("renamed", "firing", "breached"),
        ]
