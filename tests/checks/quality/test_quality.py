"""Shares of bad values, column by column."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from checks.base import NotEnough
from checks.data.frame_payload import from_payload
from checks.inputs import CheckOptions, WindowData
from checks.profile import profile
from checks.run import run_checks
from tests.checks.sample import WINDOW, measure, one, reference, table, values

REFERENCE = reference()
NAMES = ("missing_ratio", "non_finite_ratio", "out_of_range_ratio", "new_category_ratio", "type_mismatch_ratio")


def test_unchanged_rows_are_within_every_limit() -> None:
    outcome = measure(REFERENCE, table(500, seed=5))
    rows = [row for row in outcome.measurements if row.name in NAMES]
    assert len(rows) == 3 + 1 + 1 + 2 + 3
    for row in rows:
        assert row.value is not None
        assert row.limit_high is not None
        assert row.value <= row.limit_high
        assert row.reference is not None


def test_a_column_without_any_value_measures_one() -> None:
    outcome = measure(REFERENCE, table(300, amount=pa.nulls(300, pa.float64())))
    missing = one(outcome, "missing_ratio", feature="amount")
    assert missing.value == 1.0
    assert missing.limit_high is not None
    assert missing.limit_high < 1.0
    assert one(outcome, "out_of_range_ratio", feature="amount").reason == NotEnough.ALL_MISSING
    assert one(outcome, "missing_ratio", feature="city").value == 0.0


def test_one_missing_row_among_few_counts() -> None:
    outcome = measure(REFERENCE, table(4, city=["Rome", None, "Oslo", "Oslo"]))
    assert one(outcome, "missing_ratio", feature="city").value == 0.25


def test_nan_is_missing_and_not_finite_and_infinity_only_not_finite() -> None:
    outcome = measure(REFERENCE, table(4, amount=[math.nan, math.inf, 100.0, None]))
    assert one(outcome, "missing_ratio", feature="amount").value == 0.5
    odd = one(outcome, "non_finite_ratio", feature="amount")
    assert (odd.value, odd.n) == (pytest.approx(2 / 3), 3)


def test_out_of_range_and_new_categories_name_them() -> None:
    outcome = measure(REFERENCE, table(4, amount=[100.0, 99.0, 1e6, -1e6], city=["Rome", "Ulm", "Ulm", "Bonn"]))
    out = one(outcome, "out_of_range_ratio", feature="amount")
    assert (out.value, out.detail) == (0.5, {"low": -1e6, "high": 1e6})
    new = one(outcome, "new_category_ratio", feature="city")
    assert (new.value, new.detail) == (0.75, {"new": {"Ulm": 2, "Bonn": 1}})


def test_values_of_another_type_are_mismatched_and_not_missing() -> None:
    payload = {
        "id": ["a", "b", "c", "d"],
        "time": [0.0] * 4,
        "features": {"amount": ["12 $", 12.0, None, "x"], "city": ["Rome"] * 4, "night": [True] * 4},
        "prediction": [1] * 4,
        "probabilities": None,
    }
    frame = from_payload(payload, REFERENCE.schema)
    outcome = run_checks(WindowData(WINDOW, profile(frame, REFERENCE.binning), 4), REFERENCE, CheckOptions())
    wrong = one(outcome, "type_mismatch_ratio", feature="amount")
    assert (wrong.value, wrong.n) == (pytest.approx(2 / 3), 3)
    assert one(outcome, "missing_ratio", feature="amount").value == 0.25
    assert values(outcome, "type_mismatch_ratio")["city"] == 0.0


def test_an_empty_window_has_no_ratios() -> None:
    outcome = measure(REFERENCE, table(0))
    assert {row.reason for row in outcome.measurements if row.name in NAMES} == {NotEnough.NO_ROWS}


def test_switched_off() -> None:
    outcome = measure(REFERENCE, table(300), CheckOptions(quality=False))
    assert not [row for row in outcome.measurements if row.name in NAMES]
