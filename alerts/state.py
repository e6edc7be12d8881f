"""The state of one alert (a rule and a label set), and the pure step that moves it on.

`step(rule, state, observation, now) -> (state, transitions)` does no I/O and reads no clock. The semantics are those
of Prometheus' alerting rules (absent → pending → firing → resolved; a failing evaluation touches nothing), with
consecutive windows, a separate clear level, and no data and errors as conditions of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from alerts.duration import Hold
from alerts.level import Slots, Unjudged, remember, resolve
from alerts.observation import Kind, Observation
from alerts.rule import Rule
from checks.base import Labels, Measurement

GAP_INTERVALS = 3
MIN_GAP = 5.0
"""A longer silence between observations (in intervals, at least this many seconds) is downtime, not time in a state."""


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
    n: int = 0
    text: str = ""
    recent: tuple[tuple[float, float, int], ...] = ()
    """(window end, value, rows) of the windows that are averaged."""
    baseline: Slots = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable pairs, without what has its default value."""
        values = ((item.name, getattr(self, item.name), item.default) for item in fields(self))
        return {name: value for name, value, default in values if value != default}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> AlertState:
        """The inverse of `to_dict`; keys of another version are ignored."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in plain.items() if name in known}
        for name in ("labels", "recent", "baseline"):
            if name in values:
                values[name] = tuple(tuple(item) for item in values[name])
        for name, kind in (("status", Status), ("health", Kind), ("cause", Kind)):
            if name in values:
                values[name] = kind(values[name])
        return cls(**values)


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


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an observation comes to once averaging and `min_rows` are applied."""

    kind: Kind
    value: float | None = None
    n: int = 0
    text: str = ""


Stepped = tuple[AlertState, list[Transition]]


def step(rule: Rule, state: AlertState, observation: Observation, now: float) -> Stepped:
    """Moves one alert on by one observation at `now` on the rule's clock (seconds). An observation that was stepped
    already changes nothing."""
    if _already(state, observation, now):
        return state, []
    state = _without_gap(replace(state, metric=rule.metric), observation, now)
    state, reading = _read(rule, state, observation)
    if reading.kind is not state.health:
        state = replace(state, health=reading.kind, health_since=now)
    state = replace(state, health_text="" if reading.kind is Kind.VALUE else reading.text)
    if reading.kind is not Kind.VALUE:
        return _step_unwell(rule, state, observation, reading, now)
    return _step_value(rule, state, observation, reading, now)


def ended(rule: str, state: AlertState, reason: Reason, now: float) -> list[Transition]:
    """The transitions of an alert that is given up, whatever its state."""
    if state.status is Status.INACTIVE:
        return []
    window_end = now if state.judged is None else state.judged
    change = Transition(rule, state.labels, state.status, Status.INACTIVE, reason, now, window_end, text=str(reason))
    return [replace(change, value=state.value, level=state.level, n=state.n)]


def is_worse(rule: Rule, one: float, other: float) -> bool:
    """Whether the first value is further on the wrong side than the second."""
    return one > other if rule.above is not None else one < other


def _already(state: AlertState, observation: Observation, now: float) -> bool:
    if observation.measurement is None:
        return state.at == now and state.health is observation.kind and state.status is not Status.INACTIVE
    seen = [end for end in (state.judged, state.recent[-1][0] if state.recent else None) if end is not None]
    if observation.interval is None:
        return any(observation.window_end <= end for end in seen)
    return observation.window_end in seen and state.at in (None, now)


def _without_gap(state: AlertState, observation: Observation, now: float) -> AlertState:
    """Time in which nothing was observed, and time that a clock jumped over, counts for neither `for` nor
    `keep_firing_for`."""
    if state.at is None or observation.interval is None:
        return state
    passed = now - state.at
    if 0 <= passed <= max(GAP_INTERVALS * observation.interval, MIN_GAP):
        return state
    return replace(
        state,
        active_at=None if state.active_at is None else state.active_at + passed,
        clear_at=None if state.clear_at is None else state.clear_at + passed,
        since=None if state.since is None else min(state.since, now),
    )


def _read(rule: Rule, state: AlertState, observation: Observation) -> tuple[AlertState, _Reading]:
    measurement = observation.measurement
    if observation.kind is not Kind.VALUE or measurement is None or measurement.value is None:
        return state, _Reading(observation.kind, text=observation.text)
    value, n = measurement.value, measurement.n
    if rule.average > 1:
        recent = (*state.recent, (observation.window_end, value, n))[-rule.average :]
        state = replace(state, recent=recent)
        n = sum(rows for _, _, rows in recent)
        weights = [rows if n else 1 for _, _, rows in recent]
        # Shares first: the weights times very large values would overflow.
        value = sum(weight / sum(weights) * item[1] for weight, item in zip(weights, recent, strict=True))
    if not math.isfinite(value):
        return state, _Reading(Kind.NO_DATA, n=n, text="not_finite")
    if n < rule.min_rows:
        return state, _Reading(Kind.NO_DATA, n=n, text="too_few_rows")
    level = _level(rule, state, measurement) if observation.holds is None else Unjudged.NO_LIMIT
    if not isinstance(level, Unjudged) and _is_breach(rule, state, measurement, value, level):
        return state, _Reading(Kind.NO_DATA, n=n, text=observation.beside)
    return state, _Reading(Kind.VALUE, value, n, observation.beside)


def _step_unwell(rule: Rule, state: AlertState, observation: Observation, reading: _Reading, now: float) -> Stepped:
    error = reading.kind is Kind.ERROR
    policy = rule.error if error else rule.no_data
    if policy == "keep":
        return state, []
    if policy == "ok":
        return _clear(rule, state, observation, reading, Reason.ERROR if error else Reason.NO_DATA, None, now)
    return _breach(rule, state, observation, reading, None, now)


def _step_value(rule: Rule, state: AlertState, observation: Observation, reading: _Reading, now: float) -> Stepped:
    measurement, value = observation.measurement, reading.value
    assert measurement is not None and value is not None
    level = _level(rule, state, measurement)
    if isinstance(level, Unjudged):
        state, reading = replace(state, health_text=level.value), replace(reading, text="")
        stepped = _clear(rule, state, observation, reading, Reason(level.value), None, now)
        return _learn(rule, stepped, value, now)
    if _is_breach(rule, state, measurement, value, level):
        if observation.holds:
            return _breach(rule, state, observation, reading, level, now)
        return _learn(rule, _clear(rule, state, observation, reading, Reason.CONDITION, level, now), value, now)
    reading = replace(reading, text="")
    clear = _clear_level(rule, state, measurement, level)
    reason = Reason.CLEARED if state.cause is Kind.VALUE else Reason.RECOVERED
    return _learn(rule, _clear(rule, state, observation, reading, reason, clear, now), value, now)


def _is_breach(rule: Rule, state: AlertState, measurement: Measurement, value: float, level: float) -> bool:
    """Whether the value by itself begins a breach or, while firing, does not end it."""
    firing = state.status is Status.FIRING
    return is_worse(rule, value, _clear_level(rule, state, measurement, level) if firing else level)


def _level(rule: Rule, state: AlertState, measurement: Measurement) -> float | Unjudged:
    if rule.above is not None:
        return resolve(rule.above, measurement, "above", state.baseline)
    assert rule.below is not None
    return resolve(rule.below, measurement, "below", state.baseline)


def _clear_level(rule: Rule, state: AlertState, measurement: Measurement, level: float) -> float:
    """The level that ends a breach: never on the wrong side of the one that begins it."""
    if rule.clear is None:
        return level
    clear = resolve(rule.clear, measurement, "above" if rule.above is not None else "below", state.baseline)
    return level if isinstance(clear, Unjudged) or is_worse(rule, clear, level) else clear


def _learn(rule: Rule, stepped: Stepped, value: float, now: float) -> Stepped:
    """Adds a normal value to the baseline. Not while pending or firing: a long fault must not become the norm."""
    state, transitions = stepped
    level = rule.above or rule.below
    span = (level and level.baseline) or (rule.clear and rule.clear.baseline)
    if not span or state.status is not Status.INACTIVE:
        return stepped
    return replace(state, baseline=remember(state.baseline, span, now, value)), transitions


def _breach(
    rule: Rule, state: AlertState, observation: Observation, reading: _Reading, level: float | None, now: float
) -> Stepped:
    before = state.status
    if before is Status.INACTIVE:
        window = observation.measurement.window if observation.measurement else None
        state = replace(state, active_at=now, since=window.start if window else now)
    value = reading.value
    worst = value if state.worst is None or (value is not None and is_worse(rule, value, state.worst)) else state.worst
    state = replace(
        _noted(state, observation, now),
        status=Status.PENDING if before is Status.INACTIVE else before,
        cause=reading.kind,
        breaches=state.breaches + 1,
        clear_at=None,
        clears=0,
        value=value,
        level=level,
        worst=worst,
        n=reading.n,
        text=reading.text,
    )
    assert state.active_at is not None
    if state.status is Status.PENDING and _lasted(rule.for_, state.breaches, now - state.active_at):
        state = replace(state, status=Status.FIRING, fired_at=now)
    if state.status is before:
        return state, []
    reason = Reason.HELD if before is Status.PENDING else Reason.BREACHED
    if reading.kind is not Kind.VALUE:
        reason = Reason(reading.kind.value)
    return state, [_transition(rule, before, state, observation, reading, reason, level, now)]


def _clear(
    rule: Rule,
    state: AlertState,
    observation: Observation,
    reading: _Reading,
    reason: Reason,
    level: float | None,
    now: float,
) -> Stepped:
    before = state.status
    if before is Status.INACTIVE:
        return state, []
    if before is Status.FIRING:
        clear_at = now if state.clear_at is None else state.clear_at
        state = replace(_noted(state, observation, now), clear_at=clear_at, clears=state.clears + 1)
        # The first clear evaluation is where keeping begins: it is not itself a window kept.
        if not _lasted(rule.keep_firing_for, state.clears - 1, now - clear_at):
            return state, []
    calm = AlertState(
        labels=state.labels,
        metric=state.metric,
        health=state.health,
        health_since=state.health_since,
        health_text=state.health_text,
        whole_rule=state.whole_rule,
        recent=state.recent,
        baseline=state.baseline,
    )
    return calm, [_transition(rule, before, calm, observation, reading, reason, level, now)]


def _noted(state: AlertState, observation: Observation, now: float) -> AlertState:
    measured = observation.measurement is not None
    return replace(state, at=now, judged=observation.window_end if measured else state.judged)


def _lasted(hold: Hold, count: int, seconds: float) -> bool:
    return count >= hold.windows and seconds >= hold.seconds


def _transition(
    rule: Rule,
    before: Status,
    state: AlertState,
    observation: Observation,
    reading: _Reading,
    reason: Reason,
    level: float | None,
    now: float,
) -> Transition:
    return Transition(
        rule.name,
        state.labels,
        before,
        state.status,
        reason,
        now,
        observation.window_end,
        reading.value,
        level,
        reading.n,
        reading.text,
    )
