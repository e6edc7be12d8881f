"""A column that can't be profiled is an error of its own, and no other's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from checks.base import Measurement, NotEnough
from checks.inputs import CheckOptions, WindowData
from checks.profile import Profile, empty, merge, profile
from checks.profile.stack import Stack
from checks.run import run_checks
from tests.checks.sample import WINDOW, reference

NORMAL = reference(2_000)
ROWS = 300


def window(**columns: pa.Array) -> Profile:
    rng = np.random.default_rng(1)
    usual = {
        "f:amount": pa.array(rng.normal(100, 15, ROWS)),
        "f:city": pa.array(["Rome", "Paris", "Oslo"] * 100),
        "f:night": pa.array(["true", "false"] * 150),
    }
    return profile(pa.table(usual | columns), NORMAL.binning)


BROKEN = window(**{"f:amount": pa.array([[1.0]] * ROWS)})


def measured(made: Profile) -> dict[str, list[Measurement]]:
    outcome = run_checks(WindowData(WINDOW, made, ROWS), NORMAL, CheckOptions())
    assert not outcome.errors
    found: dict[str, list[Measurement]] = {}
    for row in outcome.measurements:
        found.setdefault(dict(row.labels).get("feature", ""), []).append(row)
    return found


def test_the_other_columns_are_profiled() -> None:
    assert list(BROKEN.errors) == ["f:amount"]
    assert "list" in BROKEN.errors["f:amount"]
    assert BROKEN.columns["f:city"].counts.sum() == ROWS
    assert BROKEN.columns["f:amount"].counts.sum() == 0


def test_merging_and_storing_keep_it() -> None:
    for made in (merge(BROKEN, window()), merge(window(), BROKEN), merge(empty(NORMAL.binning), BROKEN)):
        assert made.errors == BROKEN.errors
        assert Profile.from_bytes(made.to_bytes(), NORMAL.binning).errors == BROKEN.errors
    assert not merge(window(), window()).errors


def test_of_two_errors_of_a_column_the_first_ones_stays() -> None:
    first, second = (replace(BROKEN, errors={"f:amount": text}) for text in ("first", "second"))
    assert merge(first, second).errors == {"f:amount": "first"}
    stacked = Stack(NORMAL.binning).profile([first.to_bytes(), second.to_bytes()])
    assert stacked.errors == {"f:amount": "first"}


def test_every_check_says_so_for_the_column_alone() -> None:
    found = measured(merge(window(), BROKEN))
    assert {row.name for row in found["amount"]} >= {"feature_drift", "missing_ratio", "out_of_range_ratio"}
    for row in found["amount"]:
        assert (row.value, row.reason) == (None, NotEnough.ERROR)
        assert row.detail == {"error": BROKEN.errors["f:amount"]}
    for name in ("city", "night"):
        assert all(row.value is not None for row in found[name])
