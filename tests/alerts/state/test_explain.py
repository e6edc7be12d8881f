"""Why an alert fires, or does not."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.rules.rule import Rule
from alerts.state.condition import ConditionInputs
from alerts.state.evaluate import evaluate
from alerts.state.explain import explain
from alerts.state.state import AlertState, Status
from checks.base import Measurement, Window
from tests.alerts.builders import HOUR, START, measure, rule, steps


def facts(
    the_rule: Rule, seen: list[Any], last: Measurement | None = None, company: ConditionInputs | None = None
) -> dict[str, str]:
    """What is said after these windows; `last` is the newest measurement, else the last value's."""
    state, _ = steps(the_rule, seen)
    end = START + len(seen) * HOUR
    newest = last or (measure(seen[-1], end) if not isinstance(seen[-1], Measurement | str) else seen[-1])
    return dict(explain(the_rule, state, newest if newest != "error" else None, company or ConditionInputs(), end))


@pytest.mark.parametrize(
    ("the_rule", "seen", "said"),
    [
        (
            rule(for_="3 windows"),
            [0.2],
            {
                "rule": "feature_drift > 0.1 for 3 windows",
                "state": "pending since 2013-05-01T00:00Z",
                "judged": "0.2 > 0.1",
                "level": "> 0.1: the value is beyond it",
                "waits for": "2 more windows that breach",
            },
        ),
        (rule(for_="3h"), [0.2, 0.2], {"waits for": "2h more of breaching (for: 3h)"}),
        (
            rule(for_="3 of 5 windows"),
            [0.2, 0, 0.2],
            {"waits for": "3 breaches in 5 windows; there are 2", "state": "pending since 2013-05-01T00:00Z"},
        ),
        (
            rule(clear=0.05),
            [0.5, 0.07],
            {
                "state": "firing since 2013-05-01T00:00Z, fired at 2013-05-01T01:00Z",
                "judged": "0.07 > 0.1, at worst 0.5",
                "level": "> 0.1: the value is beyond it; it ends at 0.05",
            },
        ),
        (
            rule(keep_firing_for="2 windows"),
            [0.5, 0.0],
            {"waits for": "the end of keep_firing_for (2 windows); it is well since 2013-05-01T02:00Z"},
        ),
        (rule(), [0.05], {"state": "inactive", "newest": "0.05 in the window to 2013-05-01T01:00Z, from 500 rows"}),
        (rule(above="limit"), [0.5], {"level": "none: it has no calibrated limit: the reference says nothing of it"}),
        (rule(above={"reference": 0.1}), [0.5], {"level": "none: the reference has no value of it"}),
        (rule(above={"baseline": "1h"}), [0.5], {"level": "none: too little of its own past is known"}),
        (rule(above={"previous": True}), [0.5], {"level": "made anew each time: its value one window before"}),
        (
            rule(above={"reference": 0.1}),
            [measure(0.5, START + HOUR, reference=0.3)],
            {"level": "> 0.4 (reference + 0.1): the value is beyond it"},
        ),
        (rule(average=2), [0.1, 0.3], {"level": "> 0.1: the mean of 2, 0.2, is beyond it"}),
        (
            rule(min_rows=900),
            [0.5],
            {
                "data": "there is no data since 2013-05-01T01:00Z (too_few_rows); for this rule that means: keep",
                "level": "none: it rests on 500 rows, and min_rows is 900",
            },
        ),
        (
            rule(error="alert"),
            ["error"],
            {
                "data": "measuring fails since 2013-05-01T01:00Z (it broke); for this rule that means: alert",
                "state": "firing for error since 2013-05-01T01:00Z, fired at 2013-05-01T01:00Z",
            },
        ),
        (rule(), [None], {"newest": "no value (no_rows) at 2013-05-01T01:00Z"}),
    ],
)
def test_what_is_said(the_rule: Rule, seen: list[Any], said: dict[str, str]) -> None:
    found = facts(the_rule, seen)
    assert {about: found.get(about) for about in said} == said


def test_what_was_never_judged_is_said() -> None:
    assert explain(rule(), None, None, ConditionInputs(), START) == [
        ("rule", "feature_drift > 0.1"),
        ("state", "inactive: nothing with these labels has been judged by this rule yet"),
    ]


def test_conditions_are_told_with_whether_they_hold() -> None:
    waiting = rule(**{"while": [{"metric": "request_rate", "above": 1}, {"rule": "slow"}, {"rule": "odd"}]})
    rate = Measurement("request_rate", 0.5, Window(0, 0))
    company = ConditionInputs({"request_rate": [rate]}, {"slow": [("m", Status.FIRING)]})
    found = [text for about, text in explain(waiting, AlertState(), None, company, START) if about == "while"]
    assert found == [
        "request_rate > 1: not so",
        "slow is pending or firing: so",
        "odd is pending or firing: nothing is known of it",
    ]


def test_a_budget_is_told_window_by_window() -> None:
    burn = Rule.model_validate({"name": "b", "metric": "error_ratio", "slo": {"objective": 0.999}, "min_rows": 700})
    states: Any = {}
    for index in range(1, 21):
        now = START + 15 * index
        row = Measurement("error_ratio", 0.5 if index > 10 else 0.0, Window(now - 15, now), n=30)
        states, _ = evaluate(burn, states, [row], None, now, 15.0)
    found = dict(explain(burn, states[()], None, ConditionInputs(), now))
    assert found["1h and 5m"] == "25% (of 600, and min_rows is 700) and 25%, where 1.44% is allowed: does not"
    assert found["rule"] == "error_ratio burns its budget of 0.001 at a rate of 14.4 over 1h and 5m, 6 over 6h and 30m"


def test_a_share_says_which_label_sets() -> None:
    share = rule(share=0.4)
    rows = [measure(float(name == "a"), labels=(("feature", name),)) for name in "ab"]
    states, _ = evaluate(share, {}, rows, None, START + HOUR)
    assert dict(explain(share, states[()], None, ConditionInputs(), START))["judged"] == "50% > 40% (1 of 2: a)"
