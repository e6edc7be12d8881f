from __future__ import annotations

from pathlib import Path
from typing import Any

from monitor.cli.doctor.daemon import daemon, held_by
from monitor.cli.doctor.finding import Finding
from monitor.clock import SystemClock
from monitor.store.lock import hold
from tests.e2e.process import free_port
from tests.fakes.peer import Peer, raw, says, says_json
from tests.monitor.cli.doctor.conftest import Configure, only, shown


def look(configure: Configure, port: int) -> list[Finding]:
    return list(daemon(configure(f"model: a\nlisten: 127.0.0.1:{port}\n"), SystemClock()))


def answer(configure: Configure, plain: Any, status: int = 200) -> list[str]:
    with Peer(says_json(plain, status)) as peer:
        return [line.replace(str(peer.port), "PORT") for line in shown(look(configure, peer.port))]


def test_one_that_runs_and_what_it_says_is_not_well(configure: Configure) -> None:
    assert answer(configure, {"status": "ready", "degraded": {}}) == ["ok: runs on 127.0.0.1:PORT, takes data"]
    assert answer(configure, {"status": "degraded", "degraded": {"receiver slack": "token_revoked"}}) == [
        "ok: runs on 127.0.0.1:PORT, takes data",
        "problem: it says of receiver slack: token_revoked",
    ]
    assert answer(configure, {"status": "unavailable", "reason": "disk full", "degraded": {}}, 503) == [
        "problem: runs on 127.0.0.1:PORT, takes no data: disk full"
    ]


def test_rows_that_are_not_usable_as_sent(configure: Configure) -> None:
    warnings = {"a": {"invalid_label": 3, "unknown_key": 200}}
    assert answer(configure, {"status": "ready", "degraded": {}, "warnings": warnings}) == [
        "ok: runs on 127.0.0.1:PORT, takes data",
        "problem: rows of a can't be used as sent: invalid_label 3, unknown_key 200",
    ]


def test_what_else_may_be_there(configure: Configure) -> None:
    assert answer(configure, {"hello": "world"}) == ["problem: what answers on 127.0.0.1:PORT is no Watchkeeper"]
    with Peer(says("<html>")) as peer:
        assert "is no Watchkeeper" in only(look(configure, peer.port)).found
        peer.answer = raw(b"220 smtp ready\r\n")
        assert "does not answer as a Watchkeeper" in only(look(configure, peer.port)).found
    assert only(look(configure, free_port())).status.value == "missing"


def test_who_holds_the_database(configure: Configure, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watchkeeper.db'}"
    assert held_by(url) is None
    lock = hold(url)
    assert lock is not None
    found = only(look(configure, free_port()))
    assert (found.status.value, "holds the database, and nothing of it is heard" in found.found) == ("problem", True)
    lock.close()
    assert held_by(url) == ""
    with Peer(says_json({"status": "ready", "degraded": {}})) as peer:
        assert "none holds this config's database" in look(configure, peer.port)[0].found


def test_an_address_that_is_not_ours(configure: Configure) -> None:
    config = configure("model: a\nlisten: 192.0.2.1:80\ninsecure: true\n")
    found = only(daemon(config, SystemClock()))
    assert found.status.value == "problem", found
