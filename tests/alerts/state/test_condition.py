"""Rules that hold only while something else does."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alerts.duration import Hold
from alerts.incidents.lifecycle import alert_of, worded
from alerts.rules.rule import Condition, Policy, Rule
from alerts.state.condition import ConditionInputs, holds
from alerts.state.evaluate import States, evaluate
from alerts.state.observation import Kind
from alerts.state.state import Reason, Status
from alerts.wording import Wording
from checks.base import Measurement, NotEnough, Window
from checks.drift.methods.names import LABELS

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
        (RATE, ConditionInputs({"request_rate": [sample("request_rate", 2.0)]}), True),
        (RATE, ConditionInputs({"request_rate": [sample("request_rate", 1.0)]}), False),
        (RATE, ConditionInputs({"request_rate": [sample("request_rate", 0.1), sample("request_rate", 3.0)]}), True),
        (RATE, ConditionInputs({"request_rate": [sample("request_rate", None)]}), None),
        (RATE, ConditionInputs(), None),
        (
            Condition(metric="memory_used_bytes", match={"scope": "host"}, below=5.0),
            ConditionInputs({"memory_used_bytes": [sample("memory_used_bytes", 1.0, scope="container")]}),
            None,
        ),
        (
            Condition(rule="slow"),
            ConditionInputs(statuses={"slow": [("a", Status.INACTIVE), ("b", Status.PENDING)]}),
            True,
        ),
        (Condition(rule="slow"), ConditionInputs(statuses={"slow": [("delays", Status.INACTIVE)]}), False),
        (Condition(rule="slow"), ConditionInputs(), None),
    ],
)
def test_a_condition_holds_fails_or_is_unknown(
    condition: Condition, company: ConditionInputs, expected: bool | None
) -> None:
    assert holds(condition, company) is expected


def test_a_breach_counts_only_while_the_condition_holds() -> None:
    states: States = {}
    seen = []
    slow, fine = (
        ConditionInputs(statuses={"slow": [("delays", Status.FIRING)]}),
        ConditionInputs(statuses={"slow": [("delays", Status.INACTIVE)]}),
    )
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
    slow = ConditionInputs(statuses={"slow": [("delays", Status.FIRING)]})
    states: States = {}
    for step in range(3):
        rows = [sample("gpu_utilization_ratio", 0.99, step * 15.0, gpu="0")]
        states, _ = evaluate(BUSY, states, rows, None, step * 15.0, 15.0, slow)
    rows = [sample("gpu_utilization_ratio", 0.99, 45.0, gpu="0")]
    states, changes = evaluate(BUSY, states, rows, None, 45.0, 15.0, ConditionInputs())
    (state,) = states.values()
    assert (state.status, changes) == (Status.FIRING, [])
    assert "slow is pending or firing" in state.health_text


def test_a_calm_value_beside_what_is_unknown_is_calm() -> None:
    slow, alarming = (
        ConditionInputs(statuses={"slow": [("delays", Status.FIRING)]}),
        BUSY.model_copy(update={"no_data": "alert"}),
    )
    for the_rule in (BUSY, alarming):
        states: States = {}
        seen = []
        for step, (value, company) in enumerate([(0.99, slow)] * 3 + [(0.5, ConditionInputs())] * 4):
            rows = [sample("gpu_utilization_ratio", value, step * 15.0, gpu="0")]
            states, changes = evaluate(the_rule, states, rows, None, step * 15.0, 15.0, company)
            seen += [(change.after, change.reason) for change in changes]
        assert seen[2:] == [(Status.INACTIVE, Reason.CLEARED)]
        assert [(state.status, state.health, state.health_text) for state in states.values()] == [
            (Status.INACTIVE, Kind.VALUE, "")
        ]


@pytest.mark.parametrize(
    ("policy", "after"), [("keep", Status.FIRING), ("ok", Status.INACTIVE), ("alert", Status.FIRING)]
)
def test_a_breach_beside_what_is_unknown_goes_by_the_rules_policy(policy: Policy, after: Status) -> None:
    the_rule = BUSY.model_copy(update={"no_data": policy})
    states: States = {}
    for step, company in enumerate(
        [ConditionInputs(statuses={"slow": [("delays", Status.FIRING)]})] * 3 + [ConditionInputs()]
    ):
        rows = [sample("gpu_utilization_ratio", 0.99, step * 15.0, gpu="0")]
        states, _ = evaluate(the_rule, states, rows, None, step * 15.0, 15.0, company)
    assert [(state.status, state.health) for state in states.values()] == [(after, Kind.NO_DATA)]


def test_one_condition_that_does_not_hold_outweighs_another_that_is_unknown() -> None:
    both = BUSY.model_copy(
        update={"while_": [Condition(rule="unheard-of"), Condition(rule="slow")], "no_data": "alert"}
    )
    calm = ConditionInputs(statuses={"slow": [("delays", Status.INACTIVE)]})
    states, changes = evaluate(both, {}, [sample("gpu_utilization_ratio", 0.99, gpu="0")], None, 0.0, 15.0, calm)
    assert ([state.status for state in states.values()], changes) == ([Status.INACTIVE], [])


def test_a_condition_that_ends_resolves_as_a_value_that_cleared_would() -> None:
    kept = BUSY.model_copy(update={"keep_firing_for": Hold(seconds=30.0)})
    slow, calm = (
        ConditionInputs(statuses={"slow": [("delays", status)]}) for status in (Status.FIRING, Status.INACTIVE)
    )
    states: States = {}
    seen = []
    for step, company in enumerate([slow] * 3 + [calm, slow, calm, calm, calm]):
        rows = [sample("gpu_utilization_ratio", 0.99, step * 15.0, gpu="0")]
        states, _ = evaluate(kept, states, rows, None, step * 15.0, 15.0, company)
        seen += [state.status.value for state in states.values()]
    assert seen == ["pending", "pending", "firing", "firing", "firing", "firing", "firing", "inactive"]


@pytest.mark.parametrize(
    ("conditions", "company", "words"),
    [
        ([Condition(rule="slow")], {"slow": [("delays", Status.FIRING)]}, "slow is firing on delays"),
        (
            [Condition(rule="slow")],
            {"slow": [("b", Status.FIRING), ("a", Status.FIRING), ("c", Status.PENDING), ("d", Status.INACTIVE)]},
            "slow is firing on a, b",
        ),
        ([Condition(rule="slow")], {"slow": [("", Status.PENDING)]}, "slow is pending"),
        (
            [Condition(rule="slow")],
            {"slow": [(x, Status.FIRING) for x in "abcde"]},
            "slow is firing on a, b, c, 2 more",
        ),
        ([RATE, Condition(rule="slow")], {"slow": [("", Status.FIRING)]}, "request_rate > 1 and slow is firing"),
    ],
)
def test_people_are_told_what_held(
    conditions: list[Condition], company: dict[str, list[tuple[str, Status]]], words: str
) -> None:
    rule = BUSY.model_copy(update={"while_": conditions, "for_": Hold()})
    beside = ConditionInputs({"request_rate": [sample("request_rate", 2.0)]}, company)
    states, (change,) = evaluate(rule, {}, [sample("gpu_utilization_ratio", 0.99, gpu="0")], None, 0.0, 15.0, beside)
    (state,) = states.values()
    assert (change.text, state.health_text) == (f"while {words}", "")
    alert = worded(alert_of(rule, "", state), rule, "", Wording(LABELS))
    assert alert.summary == f"gpu_utilization_ratio 0 99% > 95% while {words}"
    assert alert_of(rule, "", state, ended=(60.0, "cleared")).finding == "99% > 95%"


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
