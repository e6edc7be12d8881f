"""Rules, measurements and incidents as the alert tests need them."""

from __future__ import annotations

from typing import Any

from alerts.incidents.incident import Alert, Incident
from alerts.incidents.lifecycle import advance, alert_of, worded
from alerts.rules.rule import Rule
from alerts.state.observation import Kind, Observation
from alerts.state.state import AlertState, Status, Transition
from alerts.state.step import step
from alerts.wording import Wording
from checks.base import Labels, Measurement, NotEnough, Window, labels
from checks.drift.methods.names import LABELS

HOUR = 3600.0
START = 1367366400.0
"""2013-05-01T00:00Z"""


class FakeClock:
    """Stands still unless moved."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now, self.passed = now, 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.passed

    def forward(self, seconds: float) -> float:
        self.now += seconds
        self.passed += seconds
        return self.now


def rule(**keys: Any) -> Rule:
    """A rule `drift` on feature_drift above 0.1 unless told otherwise; `for_` stands for `for`."""
    if "for_" in keys:
        keys["for"] = keys.pop("for_")
    level: dict[str, Any] = {} if "below" in keys else {"above": 0.1}
    return Rule.model_validate({"name": "drift", "metric": "feature_drift", **level, **keys})


def measure(value: float | None, end: float = START + HOUR, seconds: float = HOUR, **keys: Any) -> Measurement:
    """A measurement of feature_drift; None is one without a value."""
    keys.setdefault("name", "feature_drift")
    keys.setdefault("n", 500)
    if value is None:
        keys.setdefault("reason", NotEnough.NO_ROWS)
    return Measurement(value=value, window=Window(end - seconds, end), **keys)


def steps(
    the_rule: Rule, seen: list[Any], state: AlertState | None = None, start: float = START, every: float = HOUR
) -> tuple[AlertState, list[Transition]]:
    """Steps once a window: a number is a value, None a window without data, "error" a failed one, a Measurement is
    itself."""
    state = state or AlertState(labels=(("feature", "distance"),))
    changes: list[Transition] = []
    for index, item in enumerate(seen, 1):
        now = start + index * every
        if item == "error":
            observation = Observation.failed("it broke", now)
        elif isinstance(item, Measurement):
            observation = Observation.of(item)
        else:
            observation = Observation.of(measure(item, now, every))
        state, new = step(the_rule, state, observation, now)
        changes += new
    return state, changes


def story(changes: list[Transition]) -> list[tuple[float, str, str]]:
    """Transitions as (hours since START, state after, reason)."""
    return [((change.at - START) / HOUR, change.after.value, change.reason.value) for change in changes]


def firing_state(
    value: float = 3.2, labels: Labels = (("feature", "distance"), ("method", "psi")), **keys: Any
) -> AlertState:
    fields = {"metric": "feature_drift", "since": START, "active_at": START, "level": 0.1, "worst": value, **keys}
    return AlertState(labels=labels, status=Status.FIRING, value=value, **fields)


def alert(
    value: float = 3.2,
    feature: str = "distance",
    ended: tuple[float, str] | None = None,
    segment: str = "",
    **keys: Any,
) -> Alert:
    """One alert of the rule `drift`, worded."""
    of = labels(feature=feature, method="psi", segment=segment)
    made = alert_of(rule(**keys), "delays", firing_state(value, of), ended)
    return worded(made, rule(**keys), "delays", Wording(LABELS))


def incident(*alerts: Alert, wall: float = 1_700_000_000.0) -> Incident:
    opened, _ = advance(
        None,
        alerts or (alert(),),
        (),
        (),
        model="delays",
        group="feature-drift",
        now=START,
        wall=wall,
        new_id=lambda: "incident-1",
    )
    assert opened is not None
    return opened


def changed(
    before: Incident,
    firing: list[Alert],
    ended: list[Alert] = (),
    begun: set[str] = frozenset(),
    wall: float = 1.7e9 + 60,  # type: ignore[assignment]
) -> tuple[Incident, Any]:
    after, why = advance(
        before,
        firing,
        ended,
        begun,
        model=before.model,
        group=before.group,
        now=START + HOUR,
        wall=wall,
        new_id=lambda: "unused",
    )
    assert after is not None
    return after, why


__all__ = [
    "HOUR",
    "START",
    "FakeClock",
    "Kind",
    "alert",
    "changed",
    "firing_state",
    "incident",
    "measure",
    "rule",
    "steps",
    "story",
]
