"""Scenarios 12, 19 and 20 with a real daemon: a second one beside it, SIGTERM, and where its secrets show."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from tests.e2e.process import COMMAND, Daemon, free_port, wait_for
from tests.fakes.peer import Peer, says
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

CONFIG = """
model: parcels
collect: {{host: false, container: false, gpu: false}}
evaluate: 500ms
default_rules: false
slack: {{channel: "{channel}", api_url: "{slack}", timeout: 30s, also_direct: true}}
probes: [{{name: p, url: "{server}", interval: 500ms}}]
rules: [{{name: down, metric: probe_up, below: 1}}]
"""


@pytest.fixture
def ill() -> Iterator[Peer]:
    """A server on which the probe fails."""
    with Peer(says("", 503)) as peer:
        yield peer


def config(slack: FakeSlack, server: Peer) -> str:
    return CONFIG.format(channel=CHANNEL, slack=slack.api_url, server=server.url)


def count(daemon: Daemon, where: str) -> int:
    found: int = daemon.rows(f"SELECT count(*) FROM outbox WHERE receiver = 'slack' AND {where}")[0][0]
    return found


def test_survives_sigterm_with_a_receiver_that_hangs(tmp_path: Path, ill: Peer) -> None:
    with FakeSlack() as slack:
        slack.fail("hang", method="chat.postMessage")
        with Daemon(tmp_path, config(slack, ill), env={"SLACK_BOT_TOKEN": TOKEN}) as daemon:
            wait_for(lambda: ("chat.postMessage", "hang") in slack.calls, "it hangs in the middle of a send")
            began = SystemClock().monotonic()
            assert daemon.stop() == 0
            assert SystemClock().monotonic() - began < 25, "Slack's time limit of 30 s is not waited for"
            assert slack.posts() == []
            assert count(daemon, "outcome IS NULL") == 1, "it is owed"
            daemon.start()
            wait_for(slack.posts, "and told after the next start")
            wait_for(lambda: count(daemon, "outcome IS NULL") == 0, "once")
        assert len(slack.posts()) == 1


def test_survives_sigterm_with_something_due(tmp_path: Path, ill: Peer) -> None:
    with FakeSlack(rate_limit=True) as slack:
        lots = [f"{{name: r{number}, metric: probe_up, below: 1}}" for number in range(3)]
        text = config(slack, ill).replace("{name: down, metric: probe_up, below: 1}", ", ".join(lots))
        with Daemon(tmp_path, text, env={"SLACK_BOT_TOKEN": TOKEN}) as daemon:
            wait_for(lambda: daemon.rows("SELECT 1 FROM outbox"), "something is owed")
            assert daemon.stop() == 0
            assert count(daemon, "outcome IS NULL") == 0, "three messages, one a second"
            assert "stopped" in daemon.log.read_text()
        assert len(slack.posts()) == 3
        assert {outcome for _, outcome in slack.calls} == {"ok"}


def test_survives_a_second_daemon_beside_it(tmp_path: Path, ill: Peer) -> None:
    with FakeSlack() as slack, Daemon(tmp_path, config(slack, ill), env={"SLACK_BOT_TOKEN": TOKEN}) as daemon:
        wait_for(slack.posts, "the first one tells")
        text = (tmp_path / "watchkeeper.yaml").read_text().replace(str(daemon.port), str(free_port()))
        (tmp_path / "second.yaml").write_text(text + "database: sqlite:///watchkeeper.db\n")
        command = [str(COMMAND), "run", "--config", "second.yaml"]
        environment = {"SLACK_BOT_TOKEN": TOKEN}
        second = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert second.returncode == 2
        assert f"in use by another Watchkeeper (pid {daemon.pid})" in second.stderr
        assert len(slack.posts()) == 1


SECRETS = [TOKEN, "hook-secret", "signing-secret", "header-secret", "R" * 32, "apprise-secret", "beat-secret"]
SECRETS += ["ingest-secret-1234", "admin-secret-12345", "member-secret", "probe-secret"]
RECEIVERS = """
tokens: {{ingest: ingest-secret-1234, admin: admin-secret-12345}}
heartbeat: {{url: "{peer}/beat-secret", interval: 1s}}
alertmanager: {{members: ["{peer}"], token: member-secret}}
receivers:
  - name: tool
    webhook: {{url: "{peer}/hook-secret", secret: signing-secret, headers: {{X-Key: header-secret}}}}
  - {{name: duty, pagerduty: {{routing_key: {key}, url: "{peer}/v2/enqueue"}}}}
  - {{name: mail, apprise: {{urls: ["json://me:apprise-secret@{place}/apprise-secret"]}}}}
"""


def echo(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """An error that repeats all it was sent."""
    said = f"{handler.path} {dict(handler.headers)} {body.decode()}".encode()
    handler.send_response(500 if handler.command == "POST" else 503)
    handler.send_header("Content-Length", str(len(said)))
    handler.end_headers()
    handler.wfile.write(said)


def test_survives_showing_no_secret(tmp_path: Path) -> None:
    with FakeSlack() as slack, Peer(echo) as peer:
        slack.revoked.add(TOKEN)
        given = config(slack, peer).replace("probes: [{name: p,", "probes: [{headers: {X-Key: probe-secret}, name: p,")
        given += RECEIVERS.format(peer=peer.url, place=f"127.0.0.1:{peer.port}", key="R" * 32)
        with Daemon(tmp_path, given, env={"SLACK_BOT_TOKEN": TOKEN}) as daemon:

            def degraded() -> dict[str, str]:
                return dict(daemon.get("/readyz").get("degraded", {}))  # 200: it is degraded, not down

            parts = {
                f"receiver {name}" for name in ("slack", "tool", "duty", "mail", f"alertmanager:127.0.0.1:{peer.port}")
            }
            wait_for(lambda: parts | {"heartbeat"} <= degraded().keys(), "all of them are named")
            assert "token_revoked" in degraded()["receiver slack"]
            shown = {path: str(daemon.get(path)) for path in ("/metrics", "/readyz", "/healthz")}
            for path in ("/", "/api/v1/status", "/api/v1/alerts?state=firing", "/api/v1/silences"):
                shown[path] = read(daemon, path)
            assert daemon.stop() == 0
            shown["log"] = daemon.log.read_text()
            shown["database"] = dump(tmp_path / "watchkeeper.db")
        assert "down" in shown["/api/v1/alerts?state=firing"] and "probe_up" in shown["database"]
        sent = " ".join(f"{item.path} {item.headers} {item.body!r}" for item in peer.requests)
        told = [secret for secret in SECRETS if secret in sent]
        assert set(SECRETS) - set(told) <= {
            TOKEN,
            "ingest-secret-1234",
            "admin-secret-12345",
            "signing-secret",
            "apprise-secret",
        }
        seen = [(place, secret) for place, text in shown.items() for secret in SECRETS if secret in text]
        assert seen == []


def read(daemon: Daemon, path: str) -> str:
    import urllib.request

    request = urllib.request.Request(daemon.url + path, headers={"Authorization": "Bearer admin-secret-12345"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        text: str = reply.read().decode()
        return text


def dump(database: Path) -> str:
    """Every value of every table."""
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()
