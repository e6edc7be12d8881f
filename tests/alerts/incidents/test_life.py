"""An incident's life on a real SQLite file: routes, acknowledgement, reminders, inhibition, fallback, restarts."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from alerts.delivery.mute_times import MuteTime
from alerts.delivery.outbox import PARKED_WAIT, DeliveryOutcome
from alerts.delivery.routing import Inhibition, Route
from alerts.notify import NotifyError
from monitor.store.alerts.queries import UnknownIncident
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, world

DRIFT = rule()
SEVERE = rule(name="severe", above=9.0, severity="critical", group="drift")
REVOKED = NotifyError("the token is revoked", retry=False)
LIMITED = NotifyError("too much at once", retry=True, after=30.0)


def route(*receivers: str, **keys: Any) -> Route:
    return Route.model_validate({"receivers": list(receivers), **keys})


def test_routes_say_who_is_told_and_a_rise_in_severity_brings_others_in(tmp_path: Path) -> None:
    team, duty = Receiver("team"), Receiver("duty")
    routes = [route("duty", matchers=["severity=critical"], **{"continue": True}), route("team")]
    with world(tmp_path, [DRIFT, SEVERE], team, duty, routes=routes) as it:
        it.window(3.2, 1)
        it.deliver()
        assert (team.told, duty.told) == (["first"], [])
        it.window(20.0, 2)
        it.deliver()
        it.window(0.0, 3)
        it.deliver()
    assert team.told == ["first", "severity_rose", "resolved"]
    assert duty.told == ["first", "resolved"]


def test_who_was_told_hears_of_the_end_although_the_route_has_changed(tmp_path: Path) -> None:
    team, other = Receiver("team"), Receiver("other")
    with world(tmp_path, [DRIFT], team, other, routes=[route("team")]) as it:
        it.window(3.2, 1)
        it.deliver()
    with world(tmp_path, [DRIFT], team, other, routes=[route("other")]) as it:
        it.window(0.0, 2)
        it.deliver(600)
    assert team.told == ["first", "resolved"]


def test_an_acknowledgement_is_told_holds_reminders_back_and_ends(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager, routes=[route("pager", repeat="1h")]) as it:
        it.window(3.2, 1)
        it.deliver()
        it.remind(1800)
        it.deliver()
        assert pager.told == ["first"]
        it.remind(1800)
        it.deliver()
        assert pager.told == ["first", "repeated"]
        done = it.store.acknowledge(it.incident()["id"], "ann", it.clock.now, 7200.0)
        assert done["acknowledged"]["by"] == "ann"
        it.deliver()
        for _ in range(3):
            it.remind(1800)
            it.deliver()
        assert pager.told == ["first", "repeated", "acknowledged"]
        it.remind(1900)
        it.deliver()
        assert pager.told == ["first", "repeated", "acknowledged", "repeated"]
        what = [(event["what"], event["by"]) for event in it.store.timeline(it.incident()["id"])]
    assert what == [
        ("opened", ""),
        ("told", "pager"),
        ("told", "pager"),
        ("acknowledged", "ann"),
        ("told", "pager"),
        ("acknowledgement_ended", "ann"),
        ("told", "pager"),
    ]


def test_what_gets_worse_after_the_acknowledgement_is_told(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT, SEVERE], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        it.store.acknowledge(it.incident()["id"], "ann", it.clock.now, 7200.0)
        it.deliver()
        it.window(20.0, 2)
        it.deliver()
        assert pager.told == ["first", "acknowledged", "severity_rose"]
        assert it.incident()["acknowledged"] is None


def test_acknowledged_twice_tells_once_and_what_is_over_or_unknown_is_refused(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        it.window(3.2, 1)
        it.deliver()
        fingerprint = it.incident()["alerts"][0]["fingerprint"]
        it.store.acknowledge(fingerprint, "ann", it.clock.now, 7200.0)
        it.store.acknowledge(fingerprint, "ann", it.clock.now, 7200.0)
        it.deliver()
        assert pager.told == ["first", "acknowledged"]
        it.window(0.0, 2)
        it.deliver()
        with pytest.raises(UnknownIncident, match="no open incident"):
            it.store.acknowledge(fingerprint, "ann", it.clock.now, 60.0)


def test_nothing_is_told_in_a_mute_time_and_what_lasts_is_told_when_it_ends(tmp_path: Path) -> None:
    pager = Receiver()
    times = [MuteTime(name="hours", times=["22:00-23:00"])]  # the clock starts at 22:13 UTC
    with world(tmp_path, [DRIFT], pager, routes=[route("pager", mute_times=["hours"])], mute_times=times) as it:
        it.window(3.2, 1)
        it.deliver()
        it.window(0.0, 2)
        it.window(4.1, 3)
        it.deliver(600)
        assert pager.told == []
        it.deliver(3600)
    assert pager.told[0] == "first"


def test_a_source_that_fires_holds_back_until_it_ends(tmp_path: Path) -> None:
    pager = Receiver()
    source = rule(name="server-down", metric="server_up", below=1, group="server")
    inhibition = Inhibition(source=["rule=server-down"], target=["rule=drift"])
    with world(tmp_path, [DRIFT, source], pager, inhibitions=[inhibition]) as it:
        it.judged([_up(0.0, 1)], 1.0, metrics=["server_up"])
        it.window(3.2, 1)
        it.deliver()
        assert [notice.incident.group for notice, _ in pager.sent] == ["server"]
        for _ in range(5):
            it.deliver(16)
        assert len(pager.sent) == 1
        it.judged([_up(1.0, 2)], 2.0, metrics=["server_up"])
        it.deliver(16)
        it.deliver(16)
    assert sorted(notice.incident.group for notice, _ in pager.sent) == ["drift", "server", "server"]
    held = [outcome for _, outcome, _ in it.outcomes if outcome is DeliveryOutcome.POSTPONED]
    assert len(held) == 1, "said once, not at every look"


def _up(value: float, at: int) -> Any:
    from checks.base import Measurement, Window

    return Measurement("server_up", value, Window(float(at - 1), float(at)))


def test_a_receiver_that_needs_somebody_has_its_fallback_told(tmp_path: Path) -> None:
    pager, mail = Receiver(), Receiver("mail")
    with world(tmp_path, [DRIFT], pager, mail, routes=[route("pager")], fallbacks={"pager": "mail"}) as it:
        pager.refusals = [REVOKED, REVOKED]
        it.window(3.2, 1)
        it.deliver()
        it.deliver(1)
        assert (pager.told, mail.told) == ([], ["first"])
        it.window(0.0, 2)
        it.deliver()
        assert mail.told == ["first", "resolved"]
        it.deliver(2 * PARKED_WAIT)
        it.deliver(2 * PARKED_WAIT)
    assert pager.told == ["resolved"]


def test_a_restart_asks_nobody_sooner_who_said_when(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        pager.refusals = [LIMITED]
        it.window(3.2, 1)
        it.deliver()
        clock = it.clock
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.window(3.2, 1)
        it.deliver(20)
        assert pager.told == []
        assert ("pager", DeliveryOutcome.RETRIED, "too much at once") in it.outcomes
        it.deliver(11)
        assert pager.told == ["first"]
        assert it.store.lines() == {}


def test_receivers_that_begin_together_find_one_line_each(tmp_path: Path) -> None:
    with world(tmp_path, [DRIFT], Receiver("a"), Receiver("b")) as it:
        found, both = it.store.lines, threading.Barrier(2)
        asked = []

        def lines() -> Any:
            asked.append(1)
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.2)  # a second thread that reads them, too, comes here meanwhile
            return found()

        it.store.lines = lines  # type: ignore[method-assign]
        threads = [threading.Thread(target=it.delivery.deliver, args=(name, it.clock.now)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(asked) == 1


def test_a_clock_that_was_set_back_does_not_keep_a_line_waiting_for_ever(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, [DRIFT], pager) as it:
        pager.refusals = [LIMITED]
        it.window(3.2, 1)
        it.deliver()
        clock = it.clock
    clock.now -= 10 * 86400.0
    with world(tmp_path, [DRIFT], pager, clock=clock) as it:
        it.deliver(1)
        it.deliver(3601)
    assert pager.told == ["first"]
