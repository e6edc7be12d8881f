"""What an observation comes to: its value once averaged, or an objective's burn, and the level it is held against."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from alerts.rules.level import Bound, Side, Unjudged, is_worse, resolve
from alerts.rules.rule import Rule
from alerts.rules.slo import add, burnt, worst
from alerts.state.observation import Kind, Observation
from alerts.state.state import AlertState, Status
from checks.base import Measurement, Window

GAP_INTERVALS = 3
MIN_GAP = 5.0
"""A longer silence between observations (in intervals, at least this many seconds) is downtime, not time in a state."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A value beside its level."""

    side: Side
    breach: bool
    """Whether it begins a breach or, while firing, does not end it."""
    level: float
    clear: float
    """The level that ends a breach."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an observation comes to."""

    kind: Kind
    value: float | None = None
    n: int = 0
    text: str = ""
    judged: Judged | Unjudged | None = None
    """None without a value, and where a rule looks at none."""


def patience(interval: float | None) -> float:
    """Seconds between two observations up to which they follow each other. In event time none are missed."""
    return 0.0 if interval is None else max(GAP_INTERVALS * interval, MIN_GAP)


def read(rule: Rule, state: AlertState, observation: Observation, now: float) -> tuple[AlertState, Reading]:
    """The observation as the rule sees it, and the state with what is remembered of it."""
    if rule.slo is not None and observation.kind is not Kind.ERROR:
        return _read_slo(rule, state, observation, now)
    measurement = observation.measurement
    if observation.kind is not Kind.VALUE or measurement is None or measurement.value is None:
        return state, Reading(observation.kind, text=observation.text)
    state, value, n = _averaged(rule, state, observation, measurement)
    if not math.isfinite(value):
        return state, Reading(Kind.NO_DATA, n=n, text="not_finite")
    if rule.absent:
        return state, Reading(Kind.VALUE, value, n)
    if n < rule.min_rows and rule.share is None:
        return state, Reading(Kind.NO_DATA, n=n, text="too_few_rows")
    judged = judge(rule, state, observation, value)
    return state, _conditioned(Reading(Kind.VALUE, value, n, observation.beside, judged), observation)


def judge(rule: Rule, state: AlertState, observation: Observation, value: float) -> Judged | Unjudged:
    """The value beside the level of the side that it breaches, or is nearest to."""
    if rule.share is not None:
        return Judged("above", value > rule.share, rule.share, rule.share)
    found = list(_sides(rule, state, observation, value))
    judged = [item for item in found if isinstance(item, Judged)]
    if not judged:
        return next(item for item in found if not isinstance(item, Judged))
    return min(judged, key=lambda item: (not item.breach, abs(value - item.level)))


def resting(rule: Rule) -> Callable[[AlertState, Measurement], bool] | None:
    """Tells, quickly, whether a measurement leaves a calm state of this rule exactly as it is; None for rules that
    remember something of calm values, or differ by label set."""
    remembers = rule.average > 1 or any(level.learned for level in rule.levels)
    if rule.slo is not None or rule.share is not None or rule.absent or rule.overrides or remembers:
        return None
    metric, least = rule.metric, rule.min_rows
    low, high, others = _fixed(rule)

    def rests(state: AlertState, row: Measurement) -> bool:
        value = row.value
        if value is None or row.n < least or not low <= value <= high:
            return False
        if state.status is not Status.INACTIVE or state.health is not Kind.VALUE or state.metric != metric:
            return False
        if state.health_text or state.marks or state.unit or state.whole_rule:
            return False
        for side, level, _ in others:
            number = resolve(level, row, side, state)
            if isinstance(number, Unjudged) or is_worse(side, value, number):
                return False
        return True

    return rests


def _fixed(rule: Rule) -> tuple[float, float, list[Bound]]:
    """Between which numbers a value is well (finite at least), and the bounds that differ by measurement."""
    low, high = -sys.float_info.max, sys.float_info.max
    others: list[Bound] = []
    nothing = Measurement(rule.metric, 0.0, Window(0.0, 0.0))
    for bound in rule.bounds:
        level = resolve(bound.level, nothing, bound.side, AlertState())
        if bound.level.value is None or isinstance(level, Unjudged):
            others.append(bound)
        elif bound.side == "above":
            high = min(high, level)
        else:
            low = max(low, level)
    return low, high, others


def _sides(rule: Rule, state: AlertState, observation: Observation, value: float) -> Iterator[Judged | Unjudged]:
    measurement = observation.measurement
    assert measurement is not None
    apart = patience(observation.interval)
    for bound in rule.bounds:
        level = resolve(bound.level, measurement, bound.side, state, apart)
        if isinstance(level, Unjudged):
            yield level
            continue
        clear = _clear(bound, level, measurement, state, apart)
        wrong = is_worse(bound.side, value, clear if _keeps(state, bound.side) else level)
        yield Judged(bound.side, wrong, level, clear)


def _keeps(state: AlertState, side: Side) -> bool:
    """Whether an alert fires on this side, so that its clear level is what ends it."""
    return state.status is Status.FIRING and state.side in (side, "")


def _clear(bound: Bound, level: float, measurement: Measurement, state: AlertState, apart: float) -> float:
    """The level that ends a breach: never on the wrong side of the one that begins it."""
    if bound.clear is None:
        return level
    clear = resolve(bound.clear, measurement, bound.side, state, apart)
    return level if isinstance(clear, Unjudged) or is_worse(bound.side, clear, level) else clear


def _averaged(
    rule: Rule, state: AlertState, observation: Observation, measurement: Measurement
) -> tuple[AlertState, float, int]:
    assert measurement.value is not None
    value, n = measurement.value, measurement.n
    if rule.average > 1:
        recent = (*state.recent, (observation.window_end, value, n))[-rule.average :]
        state = replace(state, recent=recent)
        value, n = mean(recent)
    return state, value, n


def mean(recent: Sequence[tuple[float, float, int]]) -> tuple[float, int]:
    """The mean of (window end, value, rows), weighted by rows where there are any, and all its rows."""
    n = sum(rows for _, _, rows in recent)
    weights = [rows if n else 1 for _, _, rows in recent]
    # Shares first: the weights times very large values would overflow.
    return sum(weight / sum(weights) * item[1] for weight, item in zip(weights, recent, strict=True)), n


def _read_slo(rule: Rule, state: AlertState, observation: Observation, now: float) -> tuple[AlertState, Reading]:
    """Without a new sample the windows move on all the same; there is no data once the longest of them is empty."""
    assert rule.slo is not None
    pairs = rule.slo.pairs
    bad, total = _sample(rule, observation)
    known = state.burn if len(state.burn) == len(pairs) else ((),) * len(pairs)
    burn = tuple(add(slots, pair, now, bad, total) for slots, pair in zip(known, pairs, strict=True))
    # What was learned under other windows has slots of another width.
    state = replace(state, burn=burn)
    least = float(rule.min_rows) if not rule.bounds else 0.0
    found = worst([burnt(slots, pair, now) for slots, pair in zip(burn, pairs, strict=True)], least)
    if found.long is None or found.short is None:
        return state, Reading(Kind.NO_DATA, n=round(found.total), text=observation.text or "no_traffic")
    judged = Judged("above", found.burns(least), found.pair.threshold, found.pair.threshold)
    reading = Reading(Kind.VALUE, found.long, round(found.total), observation.beside, judged)
    return state, _conditioned(reading, observation)


def _sample(rule: Rule, observation: Observation) -> tuple[float, float]:
    """What a sample adds, as (bad, total): of a ratio its requests, of anything else itself."""
    measurement = observation.measurement
    if observation.kind is not Kind.VALUE or measurement is None or measurement.value is None:
        return 0.0, 0.0
    value = measurement.value
    if rule.bounds:
        if measurement.n < rule.min_rows:
            return 0.0, 0.0
        levels = ((bound.side, bound.level.value) for bound in rule.bounds)
        return float(any(level is not None and is_worse(side, value, level) for side, level in levels)), 1.0
    weight = float(measurement.n or 1)
    return min(max(value, 0.0), 1.0) * weight, weight


def _conditioned(reading: Reading, observation: Observation) -> Reading:
    """A breach beside something of which nothing is known is no data."""
    if observation.holds is None and isinstance(reading.judged, Judged) and reading.judged.breach:
        return Reading(Kind.NO_DATA, n=reading.n, text=observation.beside)
    return reading
