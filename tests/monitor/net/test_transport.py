"""The heartbeat stops when judging or delivering stands still."""

from __future__ import annotations

from pathlib import Path

from monitor.alerting.heartbeat import Heartbeat
from monitor.clock import SystemClock
from monitor.config.load import load
from monitor.daemon.daemon import Daemon
from monitor.daemon.jobs import STALLED_SECONDS
from monitor.settings.root import HeartbeatSettings
from monitor.store.migrations import upgrade
from tests.alerts.builders import FakeClock
from tests.fakes.peer import Peer, says


def test_a_beat_asks_once_while_all_is_well_and_says_what_is_not() -> None:
    problem: list[str | None] = [None]
    with Peer(says()) as peer:
        settings = HeartbeatSettings.model_validate({"url": f"{peer.url}/ping/secret-id"})
        heart = Heartbeat(settings, SystemClock(), lambda: problem[0])
        assert heart.beat() is None
        problem[0] = "delivery to slack hangs"
        assert heart.beat() == "no heartbeat is sent, because delivery to slack hangs"
        problem[0] = None
        peer.answer = says(status=404)
        assert heart.beat() == "the heartbeat's address answered 404 Not Found"
        assert [request.path for request in peer.requests] == ["/ping/secret-id"] * 2
    wrong = heart.beat()
    assert wrong is not None and "secret-id" not in wrong


def test_the_daemon_knows_when_it_stands_still(tmp_path: Path) -> None:
    (tmp_path / "watchkeeper.yaml").write_text("model: delays\nlisten: 127.0.0.1:0\nevaluate: 1s\n")
    config = load(tmp_path / "watchkeeper.yaml")
    upgrade(config.database)
    clock = FakeClock()
    daemon = Daemon(config, clock)
    daemon.writer.start()
    try:
        assert daemon.jobs.stalled() is None
        clock.forward(STALLED_SECONDS + 1)
        assert daemon.jobs.stalled() == "nothing has been judged for a while"
        daemon.jobs.remind()
        assert daemon.jobs.stalled() == "delivery to console hangs"
    finally:
        daemon.writer.stop()
        daemon.engine.dispose()
        if daemon.lock is not None:
            daemon.lock.close()
