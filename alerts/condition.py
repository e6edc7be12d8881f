"""Whether a rule's conditions hold, given what is known of the measurements and rules that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts.observation import Kind, Observation
from alerts.rule import Condition, Rule
from alerts.state import Status
from checks.base import Measurement


@dataclass(frozen=True)
class Company:
    """What stands beside a rule's own measurements when it is judged."""

    newest: Mapping[str, Sequence[Measurement]] = field(default_factory=dict)
    """Metric → its newest measurements, of every model."""
    statuses: Mapping[str, Sequence[Status]] = field(default_factory=dict)
    """Rule → the statuses of its alerts, of every model; a rule that was never judged is missing."""


def holds(condition: Condition, company: Company) -> bool | None:
    """Whether the condition holds; None when nothing is known of it."""
    if condition.rule is not None:
        known = company.statuses.get(condition.rule)
        return None if known is None else any(status is not Status.INACTIVE for status in known)
    values = [
        row.value
        for row in company.newest.get(condition.metric or "", ())
        if row.value is not None and condition.match.items() <= dict(row.labels).items()
    ]
    if not values:
        return None
    if condition.above is not None:
        return max(values) > condition.above
    assert condition.below is not None
    return min(values) < condition.below


def conditioned(rule: Rule, observation: Observation, company: Company) -> Observation:
    """The observation with the rule's conditions applied to it.

    One that does not hold makes a value no breach, whatever it is. One of which nothing is known leaves no data, which
    the rule's policy for that decides on: neither a false alarm nor a false all-clear.
    """
    if observation.kind is not Kind.VALUE:
        return observation
    found = [(condition, holds(condition, company)) for condition in rule.while_]
    if any(held is False for _, held in found):
        return replace(observation, held_back=True)
    for condition, held in found:
        if held is None:
            return replace(observation, kind=Kind.NO_DATA, text=f"unknown whether {condition.told}")
    return observation
