"""Scenarios 11 and 18: the clock is set, and the daemon starts again in the middle of a `for`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from alerts.notify import NotifyError
from alerts.rules.rule import Rule
from checks.base import Measurement, Window
from monitor.daemon.schedule import Schedule
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters
from tests.alerts.builders import FakeClock, rule
from tests.alerts.world import Receiver, World, world

BUSY = rule(name="busy", metric="cpu_utilization_ratio", above=0.9, for_="60s", keep_firing_for="60s")
STEPS = [3600.0, -3600.0]


def sample(it: World, value: float) -> list[str]:
    """One sample of now, 15 s after the one before; returns the states that follow."""
    now = it.clock.forward(15)
    row = Measurement("cpu_utilization_ratio", value, Window(now, now), (("scope", "host"),))
    changes = it.judged([row], now, model="", metrics=["cpu_utilization_ratio"])
    it.delivery.deliver_due(now)
    return [change.after.value for change in changes]


def until(it: World, value: float, state: str) -> int:
    """Samples until the state follows; returns how many it took."""
    for count in range(1, 100):
        if state in sample(it, value):
            return count
    raise AssertionError(f"never {state}")


@pytest.mark.parametrize("step", STEPS)
def test_survives_a_clock_that_is_set_by_an_hour(tmp_path: Path, step: float) -> None:
    pager = Receiver()
    with world(tmp_path, [BUSY], pager) as it:
        assert sample(it, 1.0) == ["pending"]
        it.clock.now += step
        assert sample(it, 1.0) == [], "nothing fires by it"
        assert until(it, 1.0, "firing") <= 5
        it.clock.now += step
        assert [sample(it, 1.0) for _ in range(3)] == [[], [], []]
        it.clock.now -= step
        sample(it, 0.1)
        it.clock.now += step
        assert sample(it, 0.1) == [], "nothing resolves by it"
        assert until(it, 0.1, "inactive") <= 5
        # What is owed waits no hour, and nothing that waits comes an hour early.
        pager.refusals = [NotifyError("slow down", retry=True, after=60.0)]
        it.clock.now += step
        until(it, 1.0, "firing")
        for waited in range(8):
            it.clock.now += step if waited == 2 else 0.0
            it.deliver(10)
            assert len(pager.told) == (2 if waited < 5 else 3), waited
    assert pager.told == ["first", "resolved", "first"]


@pytest.mark.parametrize("step", STEPS)
def test_survives_a_schedule_whose_clock_is_set_by_an_hour(step: float) -> None:
    clock = FakeClock()
    schedule = Schedule(clock, Health(), Meters(CollectorRegistry()), threads=1)
    schedule.every(15.0, "check", lambda: None)
    due = schedule.due("check")
    clock.forward(10)
    clock.now += step
    schedule.look_at_clock()
    now = datetime.fromtimestamp(clock.now, UTC)
    assert schedule.due("check") == (now if step < 0 else due), "it is due at once, at the latest"
    assert schedule.due("check") <= now


@pytest.mark.parametrize("away", [600.0, 86_400.0])
def test_survives_a_restart_in_the_middle_of_for(tmp_path: Path, away: float) -> None:
    pager, clock = Receiver(), FakeClock()

    def life(value: float) -> list[str]:
        """A start, and two samples: 15 s of watching."""
        clock.forward(away)
        with world(tmp_path, [BUSY], pager, clock=clock) as it:
            it.reconcile()
            return sample(it, value) + sample(it, value)

    assert [life(1.0) for _ in range(4)] == [["pending"], [], [], ["firing"]], "60 s of watching, whatever was between"
    assert life(1.0) == [], "what fires goes on firing, in its message"
    assert [life(0.1) for _ in range(6)] == [[], [], [], ["inactive"], [], []], "it did not see how long it was over"
    with world(tmp_path, [BUSY], pager, clock=clock) as it:
        it.deliver()
    assert pager.told == ["first", "resolved"]


@pytest.mark.parametrize("held", ["3 windows", "3h"])
def test_survives_a_restart_between_all_windows(tmp_path: Path, held: str) -> None:
    pager, clock, told = Receiver(), FakeClock(), []
    the_rule: Rule = rule(for_=held)
    for hour in range(1, 6):
        with world(tmp_path, [the_rule], pager, clock=clock) as it:
            it.reconcile()
            told.append([change.after.value for change in it.window(3.2, hour)])
            it.deliver()
    fires = 2 if held == "3 windows" else 3
    assert told == [["pending"], *[[]] * (fires - 1), ["firing"], *[[]] * (4 - fires)], (
        "in event time there is no downtime"
    )
    assert pager.told == ["first"]
