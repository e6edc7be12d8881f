"""The state of one alert (a rule and a label set), and its transitions; `alerts.state.step` moves it on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from alerts.rules.baselines import Season, Slots
from alerts.rules.slo import BurnSlots
from alerts.state.observation import Kind
from checks.base import Labels


class Status(StrEnum):
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


class Reason(StrEnum):
    """Why a state changed."""

    BREACHED = "breached"
    HELD = "held"
    CLEARED = "cleared"
    CONDITION = "condition"
    """What must hold beside the level does not any more."""
    NO_DATA = "no_data"
    ERROR = "error"
    RECOVERED = "recovered"
    NO_LIMIT = "no_limit"
    NO_REFERENCE = "no_reference"
    NO_BASELINE = "no_baseline"
    RULE_REMOVED = "rule_removed"
    RULE_CHANGED = "rule_changed"
    MODEL_REMOVED = "model_removed"
    SEGMENT_REMOVED = "segment_removed"
    """It is no segment any more: the config or the reference has changed."""
    NOT_MEASURED = "not_measured"
    """The feature, or the method of drift, is not measured any more, or another method judges it."""
    REFERENCE_CHANGED = "reference_changed"
    """What is normal has changed: it was held against another reference."""


@dataclass(frozen=True, slots=True)
class AlertState:
    """All that is remembered of one alert. Times are on the rule's clock: event time, or wall time."""

    labels: Labels = ()
    metric: str = ""
    status: Status = Status.INACTIVE
    health: Kind = Kind.VALUE
    """Whether the last evaluation saw a value, no data, or an error."""
    health_since: float | None = None
    health_text: str = ""
    whole_rule: bool = False
    """Stands for the rule itself: nothing it watches has ever been measured."""
    cause: Kind = Kind.VALUE
    """What it is pending or firing for."""
    since: float | None = None
    """When the trouble began: the start of the first breaching window."""
    active_at: float | None = None
    """Where `for` counts from; moved on by downtime."""
    breaches: int = 0
    fired_at: float | None = None
    clear_at: float | None = None
    """Where `keep_firing_for` counts from."""
    clears: int = 0
    at: float | None = None
    """The last evaluation that counted, while pending or firing."""
    judged: float | None = None
    """End of the last window judged, while pending or firing."""
    value: float | None = None
    level: float | None = None
    worst: float | None = None
    side: str = ""
    """The side on which it is wrong, above or below; empty without a value."""
    n: int = 0
    text: str = ""
    recent: tuple[tuple[float, float, int], ...] = ()
    """(window end, value, rows) of the windows that are averaged."""
    baseline: Slots = ()
    season: Season = ()
    previous: tuple[float, float] | None = None
    """(window end, value) of the evaluation before, where anything is made from it or counts windows."""
    marks: int = 0
    """Which of the last windows breached, one bit each, where so many of them must; the newest is the lowest."""
    burn: tuple[BurnSlots, ...] = ()
    """What was counted for each pair of an objective's windows."""
    observed: float | None = None
    """The last evaluation, where windows are counted: an objective's, or n of m."""
    unit: str = ""
    """The name of a metric that its values have the unit of, where that is another one."""
    reference_id: int | None = None
    """Number of the reference that all of this was held against, 0 for none; None where that does not matter."""

    @property
    def calm(self) -> AlertState:
        """It at rest: without what belongs to one alert, with what was learned."""
        kept = {name: getattr(self, name) for name in _KEPT}
        return AlertState(**kept)

    def renewed(self, reference_id: int) -> AlertState:
        """It at rest, without anything that was learned against another reference."""
        kept = {name: getattr(self, name) for name in _HEALTH}
        return AlertState(**kept, reference_id=reference_id)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable pairs, without what has its default value."""
        values = ((name, getattr(self, name), default) for name, default in _DEFAULTS.items())
        return {name: value for name, value, default in values if value is not default and value != default}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> AlertState:
        """The inverse of `to_dict`; keys of another version are ignored."""
        values = {_RENAMED.get(name, name): value for name, value in plain.items()}
        values = {name: value for name, value in values.items() if name in _DEFAULTS}
        for name in ("labels", "recent", "baseline", "season"):
            if name in values:
                values[name] = tuple(tuple(item) for item in values[name])
        if "burn" in values:
            values["burn"] = tuple(tuple(tuple(item) for item in slots) for slots in values["burn"])
        if values.get("previous"):
            values["previous"] = tuple(values["previous"])
        for name, kind in (("status", Status), ("health", Kind), ("cause", Kind)):
            if name in values:
                values[name] = kind(values[name])
        return cls(**values)


_DEFAULTS = {item.name: item.default for item in fields(AlertState)}
_RENAMED = {"against": "reference_id"}
"""Keys of states that earlier versions stored."""
_HEALTH = ("labels", "metric", "unit", "health", "health_since", "health_text", "whole_rule")
_KEPT = (
    *_HEALTH,
    "recent",
    "baseline",
    "season",
    "previous",
    "marks",
    "burn",
    "observed",
    "reference_id",
)
"""What a state that came to rest still knows."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one alert's state, and why."""

    rule: str
    labels: Labels
    before: Status
    after: Status
    reason: Reason
    at: float
    window_end: float
    value: float | None = None
    level: float | None = None
    n: int = 0
    text: str = ""


def ended(rule: str, state: AlertState, reason: Reason, now: float) -> list[Transition]:
    """The transitions of an alert that is given up, whatever its state."""
    if state.status is Status.INACTIVE:
        return []
    window_end = now if state.judged is None else state.judged
    change = Transition(rule, state.labels, state.status, Status.INACTIVE, reason, now, window_end, text=str(reason))
    return [replace(change, value=state.value, level=state.level, n=state.n)]
