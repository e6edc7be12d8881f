"""Error budgets: when they burn too fast, and what gaps, restarts and clocks do to that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.incidents.lifecycle import alert_of, worded
from alerts.rules.rule import Rule
from alerts.rules.slo import SLOTS, Slo
from alerts.state.evaluate import evaluate
from alerts.state.observation import Kind
from alerts.state.state import AlertState, Status
from alerts.wording import Wording
from checks.base import Measurement, NotEnough, Window
from checks.drift.methods.names import LABELS
from tests.alerts.builders import START

EVERY = 15.0
HOUR = int(3600 / EVERY)
"""Samples of an hour."""


def burn(**keys: Any) -> Rule:
    slo = {"objective": 0.999, **keys.pop("slo", {})}
    return Rule.model_validate({"name": "burn", "metric": "error_ratio", "slo": slo, **keys})


FAST = {"burn": [{"long": "1h", "short": "5m", "budget": 0.02}]}
"""The first pair of a page alone."""


def stored(state: AlertState) -> AlertState:
    return AlertState.from_dict(json.loads(json.dumps(state.to_dict())))


class Watched:
    """Evaluates every 15 s, through JSON each time, as restarts would."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.now, self.states = rule, START, dict[Any, AlertState]()
        self.changes: list[tuple[float, str, str]] = []

    def see(self, ratio: float | None, times: int = 1, n: int = 30, failed: str | None = None) -> Watched:
        for _ in range(times):
            self.now += EVERY
            reason = NotEnough.NO_TRAFFIC if ratio is None else None
            window = Window(self.now - EVERY, self.now)
            row = Measurement(self.rule.metric, ratio, window, n=0 if ratio is None else n, reason=reason)
            states, changes = evaluate(self.rule, self.states, [] if failed else [row], failed, self.now, EVERY)
            self.states = {labels: stored(state) for labels, state in states.items()}
            assert self.states == states
            self.changes += [(self.now - START, change.after.value, change.reason.value) for change in changes]
        return self

    @property
    def state(self) -> AlertState:
        (state,) = self.states.values()
        return state


def test_the_workbooks_table() -> None:
    rates = {
        kind: [
            (pair.long / 3600, pair.short / 60, pair.rate, pair.threshold)
            for pair in Slo(objective=0.999, burn=kind).pairs
        ]
        for kind in ("page", "ticket")
    }
    assert rates == {
        "page": [(1, 5, pytest.approx(14.4), 0.0144), (6, 30, pytest.approx(6), 0.006)],
        "ticket": [(24, 120, pytest.approx(3), 0.003), (72, 360, pytest.approx(1), 0.001)],
    }


def test_a_quarter_of_the_period_has_another_budget() -> None:
    (first, _) = Slo.model_validate({"objective": 0.99, "period": "7d"}).pairs
    assert (first.rate, first.threshold) == (pytest.approx(3.36), pytest.approx(0.0336))


def test_a_total_outage_pages_within_a_minute_and_is_over_five_minutes_after() -> None:
    seen = Watched(burn(slo=FAST)).see(0.0, 2 * HOUR).see(1.0, 8).see(0.0, 2 * HOUR)
    (fired, _, _), (ended, _, why) = seen.changes
    outage = 2 * 3600.0
    # 1.44 % of an hour's 240 samples are 3.5.
    assert (fired - outage, ended - outage - 120, why) == (60.0, 300.0, "cleared")


def test_a_slow_burn_pages_by_the_longer_pair() -> None:
    seen = Watched(burn()).see(0.0, 6 * HOUR).see(0.01, 6 * HOUR)
    ((fired, status, _),) = seen.changes
    assert status == "firing"
    # 0.6 % of six hours, of which each bad one brings 1 %: 3.6 hours.
    assert fired - 6 * 3600 == pytest.approx(3.6 * 3600, abs=120)
    assert (seen.state.level, seen.state.worst) == (0.006, pytest.approx(0.01, rel=0.01))


def test_a_burst_that_is_over_does_not_page() -> None:
    seen = Watched(burn(slo=FAST)).see(0.0, HOUR).see(0.3, 10).see(0.0, HOUR)
    assert seen.changes == []


def test_what_people_are_told() -> None:
    rule = burn(summary="{{ value | percent }} of the requests fail, {{ level | percent }} is the most")
    seen = Watched(rule).see(0.0, HOUR).see(0.5, 20)
    told = worded(alert_of(rule, "delays", seen.state), rule, "delays", Wording(LABELS))
    assert told.summary == "4.17% of the requests fail, 1.44% is the most"
    assert told.finding == "4.17% > 1.44%"


def test_requests_weigh() -> None:
    few = Watched(burn()).see(0.0, HOUR, n=1000).see(1.0, 20, n=1)
    assert few.changes == [], "20 failures among 240,000 requests are none"
    many = Watched(burn()).see(0.0, HOUR, n=1).see(1.0, 1, n=100)
    assert [change[1] for change in many.changes] == ["firing"]


def test_with_too_little_traffic_nothing_burns() -> None:
    guarded = burn(min_rows=100)
    assert Watched(guarded).see(0.0, HOUR, n=0).see(1.0, 1, n=1).changes == []
    night = Watched(guarded).see(None, HOUR).see(1.0, 3, n=1)
    assert (night.changes, night.state.health) == ([], Kind.VALUE)
    assert [change[1] for change in night.see(1.0, 100, n=1).changes] == ["firing"]


def test_without_traffic_the_windows_move_on_and_then_there_is_no_data() -> None:
    seen = Watched(burn(slo=FAST)).see(1.0, 20)
    assert seen.state.status is Status.FIRING
    seen.see(None, 19)
    assert (seen.state.health, seen.state.status) == (Kind.VALUE, Status.FIRING)
    seen.see(None, 3)
    assert (seen.state.health, seen.state.health_text, seen.state.status) == (
        Kind.NO_DATA,
        "no_traffic",
        Status.FIRING,
    ), "the policy keep"


def test_an_error_counts_for_nothing() -> None:
    seen = Watched(burn()).see(0.0, HOUR).see(None, 40, failed="it broke").see(0.0, 5)
    assert (seen.changes, seen.state.health) == ([], Kind.VALUE)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 90_000.0])
@pytest.mark.parametrize(("before", "status"), [(0.0, Status.INACTIVE), (1.0, Status.FIRING)])
def test_a_clock_step_or_downtime_neither_fires_nor_resolves(jump: float, before: float, status: Status) -> None:
    seen = Watched(burn(slo=FAST)).see(0.0, HOUR).see(before, 20)
    changes = list(seen.changes)
    assert seen.state.status is status
    seen.now += jump
    seen.see(before, 3)
    assert (seen.changes, seen.state.status) == (changes, status)
    seen.see(1.0 - before, 3)
    assert seen.changes == changes, "three samples are too few to turn it, as they were before"


def test_memory_is_bounded() -> None:
    seen = Watched(burn()).see(0.1234567, 8 * HOUR)
    assert [len(slots) for slots in seen.state.burn] == [12 * SLOTS, 12 * SLOTS]
    assert len(json.dumps(seen.state.to_dict())) < 32_000


def test_other_windows_begin_anew() -> None:
    seen = Watched(burn()).see(1.0, 20)
    seen.rule = burn(slo={"burn": [{"long": "1h", "short": "10m", "budget": 0.02}]})
    seen.see(0.0, 5)
    assert len(seen.state.burn) == 1


def test_a_latency_objective_counts_samples_beyond_a_level() -> None:
    slow = Rule.model_validate(
        {"name": "slow", "metric": "latency_p95_seconds", "above": 0.3, "slo": {"objective": 0.99}, "min_rows": 20}
    )
    seen = Watched(slow).see(0.1, HOUR).see(0.5, 35)
    assert [change[1] for change in seen.changes] == ["firing"]
    assert alert_of(slow, "m", seen.state).finding == "14.6% > 14.4%"
    ignored = Watched(slow).see(0.1, HOUR).see(0.5, 60, n=5)
    assert ignored.changes == [], "a percentile of five requests is no sample"


@pytest.mark.parametrize(
    "keys",
    [
        {"slo": {"objective": 1}},
        {"slo": {"objective": 0.5}},
        {"slo": {"burn": []}},
        {"slo": {"burn": "pager"}},
        {"slo": {"burn": [{"long": "5m", "short": "1h", "budget": 0.1}]}},
        {"slo": {"burn": [{"long": "30d", "short": "1h", "budget": 0.1}]}},
        {"above": "limit"},
        {"average": 3},
        {"above": 1, "clear": 0.5},
    ],
)
def test_an_objective_must_make_sense(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        burn(**keys)
