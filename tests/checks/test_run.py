"""Checks side by side: one that fails costs no other, and every one of them keeps the rules."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from checks.base import Measurement, NotEnough
from checks.catalog import CATALOG
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference
from checks.run import CHECKS, Check, run_checks
from checks.volume import volume
from tests.checks.sample import WINDOW, measure, one, reference, table

REFERENCE = reference(6_000)


def broken(data: WindowData, normal: Reference | None, options: CheckOptions) -> list[Measurement]:
    raise ZeroDivisionError("no rows at all")


def test_a_check_that_raises_is_an_error_of_its_own() -> None:
    ticks = iter(range(100))
    outcome = run_checks(
        WindowData(WINDOW, None, 3),
        None,
        CheckOptions(),
        checks={"bad": Check(broken, ("missing_ratio",)), "volume": Check(volume, ("window_rows",))},
        monotonic=lambda: float(next(ticks)),
    )
    assert outcome.errors == {"bad": "check bad failed: ZeroDivisionError: no rows at all"}
    assert list(outcome.failed) == ["missing_ratio"]
    assert one(outcome, "window_rows").value == 3.0
    assert outcome.seconds == {"bad": 1.0, "volume": 1.0}


@pytest.mark.parametrize(
    ("check", "metric", "pairs"),
    [("quality.missing", "missing_ratio", {}), ("drift.feature", "feature_drift", {"method": "psi"})],
)
def test_a_column_that_raises_costs_no_other(check: str, metric: str, pairs: dict[str, str]) -> None:
    whole = REFERENCE.profile
    damaged = {name: column for name, column in whole.columns.items() if name != "f:amount"}
    data = WindowData(WINDOW, replace(whole, columns=damaged), whole.n)
    outcome = run_checks(data, REFERENCE, CheckOptions(), only=(check,))
    assert not outcome.errors
    bad = one(outcome, metric, feature="amount", **pairs)
    assert (bad.value, bad.reason) == (None, NotEnough.ERROR)
    assert "amount" in bad.detail["error"]
    assert one(outcome, metric, feature="city", **pairs).value is not None


def test_volume_of_an_empty_window_is_a_fact() -> None:
    outcome = measure(REFERENCE, table(0), only=("volume",))
    assert one(outcome, "window_rows").value == 0.0
    assert one(outcome, "window_end_timestamp_seconds").value == WINDOW.end


@pytest.mark.parametrize("rows", [0, 1, 30, 1_000])
@pytest.mark.parametrize("normal", [REFERENCE, None])
@pytest.mark.parametrize("name", CHECKS)
def test_every_check_keeps_the_rules(name: str, normal: Reference | None, rows: int) -> None:
    outcome = measure(normal, table(rows, seed=2) if rows or normal else table(1), only=(name,))
    assert not outcome.errors
    seen: set[Any] = set()
    for row in outcome.measurements:
        assert row.name in CHECKS[name].metrics
        assert set(dict(row.labels)) <= set(CATALOG[row.name].labels)
        assert row.window == WINDOW
        assert (row.name, row.labels) not in seen
        seen.add((row.name, row.labels))
        assert len(json.dumps(dict(row.detail))) < 1_000
        for number in (row.value, row.low, row.high, row.reference, row.limit_low, row.limit_high):
            assert number is None or number == number


def test_every_metric_is_in_the_catalogue() -> None:
    assert {metric for check in CHECKS.values() for metric in check.metrics} <= set(CATALOG)
