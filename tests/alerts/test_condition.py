"""Rules that hold only while something else does."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alerts.condition import Company, holds
from alerts.evaluate import States, evaluate
from alerts.rule import Condition, Rule
from alerts.state import Reason, Status
from checks.base import Measurement, NotEnough, Window

BUSY = Rule.model_validate(
    {"name": "gpu-busy", "metric": "gpu_utilization_ratio", "above": 0.95, "for": "30s", "while": [{"rule": "slow"}]}
)


def sample(name: str, value: float | None, at: float = 0.0, **labels: str) -> Measurement:
    reason = NotEnough.NO_TRAFFIC if value is None else None
    return Measurement(name, value, Window(at, at), tuple(sorted(labels.items())), reason=reason)


RATE = Condition(metric="request_rate", above=1.0)


@pytest.mark.parametrize(
    ("condition", "company", "expected"),
    [
        (RATE, Company({"request_rate": [sample("request_rate", 2.0)]}), True),
        (RATE, Company({"request_rate": [sample("request_rate", 1.0)]}), False),
        (RATE, Company({"request_rate": [sample("request_rate", 0.1), sample("request_rate", 3.0)]}), True),
        (RATE, Company({"request_rate": [sample("request_rate", None)]}), None),
        (RATE, Company(), None),
        (
            Condition(metric="memory_used_bytes", match={"scope": "host"}, below=5.0),
            Company({"memory_used_bytes": [sample("memory_used_bytes", 1.0, scope="container")]}),
            None,
        ),
        (Condition(rule="slow"), Company(statuses={"slow": [Status.INACTIVE, Status.PENDING]}), True),
        (Condition(rule="slow"), Company(statuses={"slow": [Status.INACTIVE]}), False),
        (Condition(rule="slow"), Company(), None),
    ],
)
def test_a_condition_holds_fails_or_is_unknown(condition: Condition, company: Company, expected: bool | None) -> None:
    assert holds(condition, company) is expected


def test_a_breach_counts_only_while_the_condition_holds() -> None:
    states: States = {}
    seen = []
    slow, fine = Company(statuses={"slow": [Status.FIRING]}), Company(statuses={"slow": [Status.INACTIVE]})
    for step, company in enumerate([fine, slow, slow, slow, fine, slow]):
        now = step * 15.0
        rows = [sample("gpu_utilization_ratio", 0.99, now, gpu="0")]
        states, changes = evaluate(BUSY, states, rows, None, now, 15.0, company)
        seen.append([(change.after, change.reason) for change in changes])
    assert seen == [
        [],
        [(Status.PENDING, Reason.BREACHED)],
        [],
        [(Status.FIRING, Reason.HELD)],
        [(Status.INACTIVE, Reason.CONDITION)],
        [(Status.PENDING, Reason.BREACHED)],
    ]


def test_what_is_unknown_neither_fires_nor_resolves() -> None:
    slow = Company(statuses={"slow": [Status.FIRING]})
    states: States = {}
    for step in range(3):
        rows = [sample("gpu_utilization_ratio", 0.99, step * 15.0, gpu="0")]
        states, _ = evaluate(BUSY, states, rows, None, step * 15.0, 15.0, slow)
    rows = [sample("gpu_utilization_ratio", 0.99, 45.0, gpu="0")]
    states, changes = evaluate(BUSY, states, rows, None, 45.0, 15.0, Company())
    (state,) = states.values()
    assert (state.status, changes) == (Status.FIRING, [])
    assert "slow is pending or firing" in state.health_text


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"rule": "a", "metric": "b", "above": 1},
        {"metric": "b"},
        {"metric": "b", "above": 1, "below": 2},
        {"rule": "a", "above": 1},
        {"rule": "a", "match": {"x": "y"}},
    ],
)
def test_a_condition_is_one_of_two_shapes(plain: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(plain)
