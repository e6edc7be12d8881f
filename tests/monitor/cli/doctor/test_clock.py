from __future__ import annotations

from email.utils import formatdate

import pytest

from monitor.cli.doctor import clock
from monitor.cli.doctor.clock_offset import Offsets, TimedClient
from monitor.cli.doctor.finding import FindingStatus
from monitor.clock import SystemClock
from monitor.settings.server import ServerSettings
from tests.fakes.peer import Peer, raw
from tests.monitor.cli.doctor.conftest import shown

NOW = 1_800_000_000.0


class StillClock:
    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def offsets() -> Offsets:
    return Offsets(StillClock())


def test_a_clock_that_is_apart_is_a_problem_and_one_that_is_near_is_named(
    offsets: Offsets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "kernel", lambda: 0)
    offsets.note("near:1", formatdate(NOW - 3, usegmt=True), NOW)
    offsets.note("ahead:1", formatdate(NOW + 400, usegmt=True), NOW)
    offsets.note("behind:1", formatdate(NOW - 60, usegmt=True), NOW - 1)
    offsets.note("odd:1", "last Tuesday", NOW)
    found = list(clock.clock(offsets))
    assert shown(found) == [
        "problem: that of ahead:1 is 400 s ahead of this one",
        "problem: that of behind:1 is 58 s behind this one",
        "ok: kept right (NTP); no more than 5 s from that of near:1",
    ]
    assert "5 minutes ahead" in found[0].todo


@pytest.mark.parametrize(
    ("state", "status"), [(0, FindingStatus.OK), (5, FindingStatus.MISSING), (None, FindingStatus.MISSING)]
)
def test_what_the_kernel_knows_of_its_clock(
    offsets: Offsets, monkeypatch: pytest.MonkeyPatch, state: int | None, status: FindingStatus
) -> None:
    monkeypatch.setattr(clock, "kernel", lambda: state)
    assert [item.status for item in clock.clock(offsets)] == [status]


def test_the_kernel_can_be_asked() -> None:
    assert clock.kernel() in (None, 0, 1, 2, 3, 4, 5)


def test_an_answer_tells_the_time_of_who_gave_it() -> None:
    from monitor.cli.doctor.server import server

    found = Offsets(SystemClock())
    with Peer(raw(b"HTTP/1.1 200 OK\r\nDate: Fri, 01 Jan 2010 00:00:00 GMT\r\n\r\n")) as peer:
        list(server(ServerSettings(url=peer.url), TimedClient(SystemClock(), found)))
        (whose,) = found.all()
        assert whose == f"127.0.0.1:{peer.port}"
    assert found.all()[whose] < -1e8
