"""The heartbeat asks its address once a beat, and stops while something stands still."""

from __future__ import annotations

from monitor.alerting.heartbeat import Heartbeat
from monitor.clock import SystemClock
from monitor.settings.root import HeartbeatSettings
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
