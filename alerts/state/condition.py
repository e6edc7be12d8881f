"""Whether a rule's conditions hold, given what is known of the measurements and rules that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts.rules.match import matched
from alerts.rules.rule import Condition, Rule
from alerts.state.observation import Kind, Observation
from alerts.state.state import Status
from checks.base import Measurement

NAMED = 3
"""Models that a condition's words name; of more only the number is told."""


@dataclass(frozen=True)
class ConditionInputs:
    """What stands beside a rule's own measurements when it is judged."""

    newest: Mapping[str, Sequence[Measurement]] = field(default_factory=dict)
    """Metric → its newest measurements, of every model."""
    statuses: Mapping[str, Sequence[tuple[str, Status]]] = field(default_factory=dict)
    """Rule → (model, status) of each of its alerts; a rule that was never judged is missing."""


def holds(condition: Condition, company: ConditionInputs) -> bool | None:
    """Whether the condition holds; None when nothing is known of it."""
    if condition.rule is not None:
        known = company.statuses.get(condition.rule)
        return None if known is None else any(status is not Status.INACTIVE for _, status in known)
    values = [
        row.value
        for row in company.newest.get(condition.metric or "", ())
        if row.value is not None and matched(condition.match, dict(row.labels))
    ]
    if not values:
        return None
    if condition.above is not None:
        return max(values) > condition.above
    assert condition.below is not None
    return min(values) < condition.below


def conditioned(rule: Rule, observation: Observation, company: ConditionInputs) -> Observation:
    """The observation with what is known of the rule's conditions.

    One that does not hold makes a breach none. Where nothing is known of one, a breach is no data, which the rule's
    policy for that decides on: neither a false alarm nor a false all-clear. A value that is no breach needs none;
    without a value an objective's windows may breach all the same.
    """
    judged = observation.kind is Kind.VALUE or (rule.slo is not None and observation.kind is Kind.NO_DATA)
    if not judged or not rule.while_:
        return observation
    found = [(condition, holds(condition, company)) for condition in rule.while_]
    for outcome, words in ((False, "not so any more: {}"), (None, "unknown whether {}")):
        for condition, held in found:
            if held is outcome:
                return replace(observation, holds=outcome, beside=words.format(condition.description))
    beside = f"while {' and '.join(_seen(condition, company) for condition, _ in found)}"
    return replace(observation, beside=f"{observation.beside} {beside}".lstrip())


def _seen(condition: Condition, company: ConditionInputs) -> str:
    """A condition that holds, in words: ``latency-high is firing on delays``."""
    if condition.rule is None:
        return condition.description
    known = company.statuses[condition.rule]
    status = Status.FIRING if any(status is Status.FIRING for _, status in known) else Status.PENDING
    models = sorted({model for model, its in known if its is status and model})
    if len(models) > NAMED:
        models = [*models[:NAMED], f"{len(models) - NAMED} more"]
    return f"{condition.rule} is {status}{' on ' if models else ''}{', '.join(models)}"
