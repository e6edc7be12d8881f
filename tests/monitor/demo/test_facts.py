from __future__ import annotations

import pyarrow as pa
import pytest

from monitor.demo.facts import Facts

FLIGHTS = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "time": [0.0, 1.0, 2.0, 3.0, 10.0],
        "late": pa.array([1, 0, None, 0, 1], pa.int8()),
        "carrier": ["UA", "UA", "XX", "XX", "UA"],
        "temp": [10.0, 20.0, 30.0, 40.0, 90.0],
    }
)
REFERENCE = pa.table(
    {"target": [0, 1, 0, 0], "prediction": [0, 0, 0, 0], "carrier": ["UA", "UA", "UA", "AA"], "temp": [1.0, 2, 3, 4]}
)
FACTS = Facts(FLIGHTS, REFERENCE, {"a": 1, "b": 1, "c": 0, "d": 0, "e": 0})


def test_accuracy_is_counted_from_the_answers_over_flights_with_a_label() -> None:
    assert FACTS.accuracy(0.0, 5.0) == (pytest.approx(2 / 3), 3)
    assert FACTS.accuracy(10.0, 11.0) == (0.0, 1)


@pytest.mark.parametrize(
    ("metric", "feature", "said"),
    [
        ("performance", "", "really 0.667 over 3 flights (0.750 in the reference); 33% were late (25%)"),
        ("prediction_drift", "", "'late' was predicted for 50.0% of flights (0.0% in the reference)"),
        ("feature_drift", "temp", "the true mean of temp was 25 (2.5 in the reference)"),
        ("feature_drift", "carrier", "carrier XX made 50.0% of flights (0.0% in the reference)"),
        ("new_category_ratio", "carrier", "carrier never seen in the reference: XX 50.0%"),
        ("drifted_features", "", ""),
    ],
)
def test_what_the_rows_say(metric: str, feature: str, said: str) -> None:
    assert FACTS.explain(metric, feature, 0.0, 5.0) == said


def test_no_rows_are_said_to_be_none() -> None:
    assert FACTS.explain("performance", "", 100.0, 200.0) == "no flights in this time"
