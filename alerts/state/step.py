"""The pure step that moves an alert on.

`step(rule, state, observation, now) -> (state, transitions)` does no I/O and reads no clock. The semantics are those
of Prometheus' alerting rules (absent → pending → firing → resolved; a failing evaluation touches nothing), with
consecutive windows or n of m of them, a separate clear level, and no data and errors as conditions of their own.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.duration import Hold
from alerts.rules.baselines import remember, remember_season
from alerts.rules.level import Unjudged, is_worse
from alerts.rules.rule import Rule
from alerts.rules.slo import shift
from alerts.state.observation import Kind, Observation
from alerts.state.reading import Judged, Reading, patience, read
from alerts.state.state import AlertState, Reason, Status, Transition

Stepped = tuple[AlertState, list[Transition]]


def step(rule: Rule, state: AlertState, observation: Observation, now: float) -> Stepped:
    """Moves one alert on by one observation at `now` on the rule's clock (seconds). An observation that was stepped
    already changes nothing."""
    if _already(state, observation, now):
        return state, []
    if state.metric != rule.metric or state.unit != rule.unit:
        state = replace(state, metric=rule.metric, unit=rule.unit)
    state, reading = read(rule, _burn_without_gap(rule, state, observation, now), observation, now)
    if reading.kind is not state.health:
        state = replace(state, health=reading.kind, health_since=now)
    text = "" if reading.kind is Kind.VALUE else reading.text
    if text != state.health_text:
        state = replace(state, health_text=text)
    if _policy(rule, reading) == "keep":
        return state, []
    # Only what counts ends a gap: had one been taken off for each evaluation without data, it would have been taken
    # off many times.
    state = _without_gap(state, observation, now)
    if reading.kind is not Kind.VALUE:
        return _step_unwell(rule, state, observation, reading, now)
    return _step_value(rule, state, observation, reading, now)


def _already(state: AlertState, observation: Observation, now: float) -> bool:
    if state.observed == now:
        return True
    if observation.measurement is None:
        return state.at == now and state.health is observation.kind and state.status is not Status.INACTIVE
    seen = [state.judged, state.recent[-1][0] if state.recent else None, state.previous and state.previous[0]]
    known = [end for end in seen if end is not None]
    if observation.interval is None:
        return any(observation.window_end <= end for end in known)
    return observation.window_end in known and state.at in (None, now)


def _without_gap(state: AlertState, observation: Observation, now: float) -> AlertState:
    """Time in which nothing was observed, and time that a clock jumped over, counts for neither `for` nor
    `keep_firing_for`."""
    if observation.interval is None or state.at is None:
        return state
    passed = now - state.at
    if 0 <= passed <= patience(observation.interval):
        return state
    return replace(
        state,
        active_at=None if state.active_at is None else state.active_at + passed,
        clear_at=None if state.clear_at is None else state.clear_at + passed,
        since=None if state.since is None else min(state.since, now),
    )


def _burn_without_gap(rule: Rule, state: AlertState, observation: Observation, now: float) -> AlertState:
    """Nor does it lie in a window of an objective."""
    interval = observation.interval
    if rule.slo is None or interval is None:
        return state
    passed = 0.0 if state.observed is None else now - state.observed
    if not 0 <= passed <= patience(interval):
        pairs = rule.slo.pairs
        moved = (shift(slots, pair, passed - interval) for slots, pair in zip(state.burn, pairs, strict=False))
        state = replace(state, burn=tuple(moved))
    return replace(state, observed=now)


def _policy(rule: Rule, reading: Reading) -> str:
    """What the rule says to do without a value; nothing where there is one."""
    if reading.kind is Kind.VALUE:
        return ""
    return rule.error if reading.kind is Kind.ERROR else rule.on_no_data


def _step_unwell(rule: Rule, state: AlertState, observation: Observation, reading: Reading, now: float) -> Stepped:
    if _policy(rule, reading) == "ok":
        reason = Reason.ERROR if reading.kind is Kind.ERROR else Reason.NO_DATA
        return _clear(rule, _marked(rule, state, False, now), observation, reading, reason, None, now)
    state = _marked(rule, state, True, now)
    if _goes_on(rule, state, True):
        return _breach(rule, state, observation, reading, None, now)
    return _clear(rule, state, observation, reading, Reason.CLEARED, None, now)


def _step_value(rule: Rule, state: AlertState, observation: Observation, reading: Reading, now: float) -> Stepped:
    judged = reading.judged
    if judged is None:  # absent: it is there
        return _clear(rule, _marked(rule, state, False, now), observation, reading, Reason.RECOVERED, None, now)
    if isinstance(judged, Unjudged):
        state, calm = replace(state, health_text=judged.value), replace(reading, text="")
        stepped = _clear(rule, _marked(rule, state, False, now), observation, calm, Reason(judged.value), None, now)
        return _learn(rule, stepped, observation, reading, now)
    breach = judged.breach and bool(observation.holds)
    state = _marked(rule, state, breach, now)
    if breach and _goes_on(rule, state, breach):
        stepped = _breach(rule, state, observation, reading, judged, now)
    elif _goes_on(rule, state, breach):  # enough of the windows before did
        stepped = replace(_noted(state, observation, now), clear_at=None, clears=0), []
    else:
        stepped = _calmed(rule, state, observation, reading, judged, now)
    return _learn(rule, stepped, observation, reading, now)


def _calmed(
    rule: Rule, state: AlertState, observation: Observation, reading: Reading, judged: Judged, now: float
) -> Stepped:
    if judged.breach and not observation.holds:
        return _clear(rule, state, observation, reading, Reason.CONDITION, judged.level, now)
    reason = Reason.CLEARED if state.cause is Kind.VALUE else Reason.RECOVERED
    return _clear(rule, state, observation, replace(reading, text=""), reason, judged.clear, now)


def _goes_on(rule: Rule, state: AlertState, breach: bool) -> bool:
    """Whether the alert is (still) to be pending or firing."""
    if not rule.for_.of:
        return breach
    if state.status is Status.FIRING:
        return _enough(rule.for_, state)
    return breach or (state.status is Status.PENDING and state.marks > 0)


def _marked(rule: Rule, state: AlertState, breach: bool, now: float) -> AlertState:
    """The state with one more window marked, where n of m count."""
    if not rule.for_.of:
        return state if not state.marks else replace(state, marks=0)
    marks = ((state.marks << 1) | breach) & ((1 << rule.for_.of) - 1)
    # An evaluation that is stepped again, without a value that tells, must not be marked again.
    return replace(state, marks=marks, observed=now) if marks or state.marks else state


def _enough(hold: Hold, state: AlertState) -> bool:
    return state.marks.bit_count() >= hold.windows


def _learn(rule: Rule, stepped: Stepped, observation: Observation, reading: Reading, now: float) -> Stepped:
    """Adds the value to what the rule's levels are made from. To a baseline or season not while pending or firing: a
    long fault must not become the norm."""
    state, transitions = stepped
    levels = rule.levels
    season = next((level.season for level in levels if level.season), None)
    if not state.marks and not any(level.learned for level in levels):
        return stepped
    assert reading.value is not None and observation.measurement is not None
    value, window = reading.value, observation.measurement.window
    if state.marks or season or any(level.previous for level in levels):
        state = replace(state, previous=(window.end, value))
    if state.status is Status.INACTIVE:
        if span := next((level.baseline for level in levels if level.baseline), None):
            state = replace(state, baseline=remember(state.baseline, span, now, value))
        if season:
            state = replace(state, season=remember_season(state.season, season, window, value))
    return state, transitions


def _breach(
    rule: Rule, state: AlertState, observation: Observation, reading: Reading, judged: Judged | None, now: float
) -> Stepped:
    """`judged` is None for what is no value."""
    before = state.status
    if before is Status.INACTIVE:
        window = observation.measurement.window if observation.measurement else None
        state = replace(state, active_at=now, since=window.start if window else now)
    level = None if judged is None else judged.level
    state = replace(
        state,
        at=now,
        judged=state.judged if observation.measurement is None else observation.window_end,
        status=Status.PENDING if before is Status.INACTIVE else before,
        cause=reading.kind,
        breaches=state.breaches + 1,
        clear_at=None,
        clears=0,
        value=reading.value,
        level=level,
        worst=_worst(state, reading.value, judged),
        side=state.side if judged is None else judged.side,
        n=reading.n,
        text=reading.text,
    )
    assert state.active_at is not None
    if state.status is Status.PENDING and _held(rule.for_, state, now - state.active_at):
        state = replace(state, status=Status.FIRING, fired_at=now)
    if state.status is before:
        return state, []
    reason = Reason.HELD if before is Status.PENDING else Reason.BREACHED
    if reading.kind is not Kind.VALUE:
        reason = Reason(reading.kind.value)
    return state, [_transition(rule, before, state, observation, reading, reason, level, now)]


def _worst(state: AlertState, value: float | None, judged: Judged | None) -> float | None:
    """The value furthest on the side on which it is wrong now."""
    if value is None or judged is None:
        return state.worst
    if state.worst is None or judged.side != state.side:
        return value
    return value if is_worse(judged.side, value, state.worst) else state.worst


def _clear(
    rule: Rule,
    state: AlertState,
    observation: Observation,
    reading: Reading,
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
    calm = state.calm
    return calm, [_transition(rule, before, calm, observation, reading, reason, level, now)]


def adopt(rule: Rule, state: AlertState) -> Stepped:
    """A state under a rule that may have changed since: what fires, and would not yet by a longer `for`, is pending
    again. A shorter one counts at the next evaluation."""
    rule, at, active_at = rule.of(state.labels), state.at, state.active_at
    if state.status is not Status.FIRING or at is None or active_at is None:
        return state, []
    hold = rule.for_
    if hold.of:
        marks = state.marks & ((1 << hold.of) - 1)
        if marks.bit_count() < hold.windows and state.clear_at is None:
            # It fired by a rule that did not mark windows: the breaches it had are taken for the last ones.
            marks = (1 << min(state.breaches, hold.of)) - 1
        state = state if marks == state.marks else replace(state, marks=marks)
        # Windows from before it was pending count as well, so the breaches since then do not tell.
        lasted = _enough(hold, state) or state.clear_at is not None
    else:
        lasted = _lasted(hold, state.breaches, at - active_at)
    if lasted:
        return state, []
    after = replace(state, status=Status.PENDING, fired_at=None, clear_at=None, clears=0)
    window_end = at if state.judged is None else state.judged
    change = Transition(rule.name, state.labels, state.status, after.status, Reason.RULE_CHANGED, at, window_end)
    return after, [replace(change, value=state.value, level=state.level, n=state.n)]


def _noted(state: AlertState, observation: Observation, now: float) -> AlertState:
    measured = observation.measurement is not None
    return replace(state, at=now, judged=observation.window_end if measured else state.judged)


def _held(hold: Hold, state: AlertState, seconds: float) -> bool:
    if hold.of:
        return _enough(hold, state)
    return _lasted(hold, state.breaches, seconds)


def _lasted(hold: Hold, count: int, seconds: float) -> bool:
    return count >= hold.windows and seconds >= hold.seconds


def _transition(
    rule: Rule,
    before: Status,
    state: AlertState,
    observation: Observation,
    reading: Reading,
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
