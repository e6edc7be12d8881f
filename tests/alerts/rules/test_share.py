"""Rules on the share of the label sets that are wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from alerts.incidents.lifecycle import alert_of, worded
from alerts.rules.rule import Rule
from alerts.state.evaluate import States, evaluate
from alerts.state.observation import Kind
from alerts.state.state import Status
from alerts.wording import Wording
from checks.base import Measurement, Window
from checks.drift.methods.names import LABELS
from tests.alerts.builders import HOUR, START, measure, rule


def features(values: dict[str, float | None], end: float = START + HOUR, **keys: Any) -> list[Measurement]:
    return [measure(value, end, labels=(("feature", name),), **keys) for name, value in values.items()]


HALF = rule(share=0.5, summary="{{ value | percent }} of the features")


def test_a_share_of_the_label_sets_is_one_alert() -> None:
    states: States = {}
    seen = []
    for hour, values in enumerate([(0, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 0, None)], 1):
        rows = features(dict(zip("abcd", values, strict=True)), START + hour * HOUR)
        states, changes = evaluate(HALF, states, rows, None, START + hour * HOUR)
        seen += [(hour, change.after.value, change.value, change.n) for change in changes]
    assert seen == [(3, "firing", 0.75, 4)]
    assert list(states) == [()]
    assert states[()].value == pytest.approx(2 / 3), "a label set without a value counts on neither side"


def test_a_share_says_which() -> None:
    rows = features({name: 0.2 + index for index, name in enumerate("abcdefg")})
    states, _ = evaluate(HALF, {}, rows, None, START + HOUR)
    told = worded(alert_of(HALF, "m", states[()]), HALF, "m", Wording(LABELS))
    assert told.finding == "100% > 50% (7 of 7: g, f, e, d, c, 2 more)"
    assert told.summary == "100% of the features"


@pytest.mark.parametrize(
    ("rows", "health"),
    [
        (features({"a": None, "b": None}), Kind.NO_DATA),
        (features({"a": 1.0}, n=3), Kind.NO_DATA),
        (features({"a": 0.0}), Kind.VALUE),
    ],
)
def test_a_share_of_nothing_is_no_data(rows: list[Measurement], health: Kind) -> None:
    few = rule(share=0.5, min_rows=100)
    states, changes = evaluate(few, {}, rows, None, START + HOUR)
    assert ([state.health for state in states.values()], changes) == ([health], [])


def test_a_share_that_can_not_be_measured_is_an_error_and_keeps() -> None:
    states, _ = evaluate(HALF, {}, features({"a": 1.0}), None, START + HOUR)
    states, changes = evaluate(HALF, states, [], "it broke", START + 2 * HOUR)
    assert ([state.status for state in states.values()], changes) == ([Status.FIRING], [])


def test_a_share_goes_by_each_label_sets_own_limit() -> None:
    rule_ = Rule.model_validate({"name": "drift", "metric": "feature_drift", "above": "limit", "share": 0.4})
    rows = [measure(1.0, labels=(("feature", name),), limit_high=limit) for name, limit in (("a", 0.5), ("b", 2.0))]
    rows.append(measure(9.0, labels=(("feature", "unlimited"),)))
    _, (change,) = evaluate(rule_, {}, rows, None, START + HOUR)
    assert (change.value, change.level, change.n, change.text) == (0.5, 0.4, 2, "(1 of 2: a)")


@pytest.mark.parametrize(
    "keys", [{"above": {"baseline": "1h"}}, {"clear": 0.05}, {"average": 2}, {"slo": {"objective": 0.9}}, {"share": 1}]
)
def test_a_share_goes_with_plain_levels_only(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**{"share": 0.5, **keys})


def test_a_window_in_the_measurements_is_the_newest_one() -> None:
    rows = features({"a": 1.0}) + features({"b": 1.0}, START + 2 * HOUR)
    states, _ = evaluate(HALF, {}, rows, None, START + 2 * HOUR)
    assert states[()].judged == START + 2 * HOUR
    assert Window(START + HOUR, START + 2 * HOUR).end == states[()].judged
