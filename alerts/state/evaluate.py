"""One rule over the measurements of one evaluation: every label set it knows, or meets, is stepped once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from alerts.rules.match import matched
from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs, conditioned
from alerts.state.observation import Kind, Observation
from alerts.state.reading import resting
from alerts.state.share import shared
from alerts.state.state import AlertState, Reason, Status, Transition, ended
from alerts.state.step import step
from checks.base import Labels, Measurement

FORGET_AFTER = 7 * 86400.0
"""Seconds on the rule's clock after which an inactive label set that is not measured any more is forgotten."""
_TEXT = 500

States = dict[Labels, AlertState]

_ALONE = ConditionInputs()
_NOTHING: Mapping[str, str] = {}


def matches(rule: Rule, labels: Labels) -> bool:
    """Whether measurements with these labels are the rule's."""
    return not rule.match or matched(rule.match, dict(labels))


def evaluate(
    rule: Rule,
    states: Mapping[Labels, AlertState],
    measurements: Iterable[Measurement],
    failed: str | None,
    now: float,
    interval: float | None = None,
    company: ConditionInputs = _ALONE,
    within: Mapping[str, str] = _NOTHING,
    reference_id: int | None = None,
) -> tuple[States, list[Transition]]:
    """Steps one rule. `failed` says why its metric could not be measured, if so; `interval` is the expected number of
    seconds between evaluations on the wall clock, None in event time; `company` is what its conditions look at.
    With `within` the measurements are all there are with these labels: known label sets without them are left alone,
    and where the rule stands for itself it does so with these. `reference_id` is the number of the reference that all
    of this was held against, where that matters: what was learned against another is forgotten.

    A label set that is known and not among the measurements is an observation without data, or an error if the
    measuring failed. A rule that knows no label set yet stands for itself when it failed, or when no data alerts.
    """
    states, transitions = _renewed(rule, states, reference_id, now)
    whole = tuple(sorted(within.items()))
    after, rows = _at_rest(rule, states, _own(rule, measurements))
    seen = _observations(rule, rows, whole, now, interval)
    met = set(seen)
    rested = bool(after)
    measured = met | after.keys()
    for labels, state in states.items():
        if labels in after or labels in seen:
            continue
        if within and not within.items() <= dict(labels).items():
            after[labels] = state
        elif failed is None and (reason := _gone(rule, labels, measured if reference_id else ())):
            transitions += ended(rule.name, state, reason, now)
        else:
            seen[labels] = _absent(failed, now, interval)
    if not seen and not rested and (failed is not None or rule.on_no_data == "alert"):
        seen[whole] = _absent(failed, now, interval)
    if rule.while_:
        seen = {labels: conditioned(rule, observation, company) for labels, observation in seen.items()}
    for labels, observation in seen.items():
        state = states.get(labels) or AlertState(labels, whole_rule=labels not in met, reference_id=reference_id)
        if state.whole_rule and labels not in met and (met or rested):
            # It stood for the rule itself, and now there are real label sets.
            transitions += ended(rule.name, state, Reason.RECOVERED, now)
            continue
        state, changes = step(rule.of(labels), state, observation, now)
        if state.whole_rule and labels in met:
            state = replace(state, whole_rule=False)
        transitions += changes
        if not _forgotten(state, observation, now):
            after[labels] = state
    return after, transitions


def _own(rule: Rule, measurements: Iterable[Measurement]) -> list[Measurement]:
    """The measurements that are the rule's."""
    rows = [row for row in measurements if row.name == rule.metric and matches(rule, row.labels)]
    return rows if "method" in rule.match else [row for row in rows if not row.secondary]


def _at_rest(
    rule: Rule, states: Mapping[Labels, AlertState], rows: list[Measurement]
) -> tuple[States, list[Measurement]]:
    """The states that are calm and stay as they are, and the measurements of all others: most of what there is, most
    of the time."""
    rests = resting(rule)
    if rests is None:
        return {}, rows
    calm: States = {}
    left: list[Measurement] = []
    for row in rows:
        state = states.get(row.labels)
        if state is not None and rests(state, row):
            calm[row.labels] = state
        else:
            left.append(row)
    twice = len(calm) + len(left) != len(rows) or any(row.labels in calm for row in left)
    return ({}, rows) if twice else (calm, left)


def _observations(
    rule: Rule, rows: list[Measurement], whole: Labels, now: float, interval: float | None
) -> dict[Labels, Observation]:
    if rule.share is not None:
        share = shared(rule, whole, rows, _expected(interval, rows))
        return {} if share is None else {whole: share}
    seen: dict[Labels, Observation] = {}
    for row in rows:
        expected = _expected(interval, (row,))
        if row.labels in seen:
            text = f"{rule.metric} was measured twice with the same labels"
            seen[row.labels] = Observation.failed(text, now, expected)
        else:
            seen[row.labels] = Observation.of(row, expected)
    return seen


def _expected(interval: float | None, rows: Sequence[Measurement]) -> float | None:
    """Seconds until the next observation: of a longer window it takes that long."""
    return None if interval is None else max([interval, *(row.window.seconds for row in rows)])


def _renewed(
    rule: Rule, states: Mapping[Labels, AlertState], reference_id: int | None, now: float
) -> tuple[Mapping[Labels, AlertState], list[Transition]]:
    """The states as they are for what is held against this reference, and the alerts over another that end so."""
    if reference_id is None or all(state.reference_id == reference_id for state in states.values()):
        return states, []
    after: States = {}
    transitions: list[Transition] = []
    for labels, state in states.items():
        if state.reference_id not in (None, reference_id):
            transitions += ended(rule.name, state, Reason.REFERENCE_CHANGED, now)
            state = state.renewed(reference_id)
        after[labels] = replace(state, reference_id=reference_id)
    return after, transitions


def _gone(rule: Rule, labels: Labels, held: Collection[Labels]) -> Reason | None:
    """Why a label set that is not measured is there no more; None if that is not known. Every segment that there is is
    measured, also without rows; and where anything is `held` against a reference, over the same span, so is every
    feature by every method, if only to say why there is no value."""
    names = dict(labels)
    if "segment" in names:
        return Reason.SEGMENT_REMOVED
    if not names.keys() & {"feature", "method"} or rule.of(labels).on_no_data == "alert":
        return None
    same = any(dict(other).get("over") == names.get("over") for other in held)
    return Reason.NOT_MEASURED if same else None


def _absent(failed: str | None, now: float, interval: float | None) -> Observation:
    return Observation.vanished(now, interval) if failed is None else Observation.failed(failed[:_TEXT], now, interval)


def _forgotten(state: AlertState, observation: Observation, now: float) -> bool:
    return (
        state.status is Status.INACTIVE
        and observation.measurement is None
        and state.health is Kind.NO_DATA
        and state.health_since is not None
        and now - state.health_since > FORGET_AFTER
    )
