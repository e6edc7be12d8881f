"""Longer windows on seeded streams: what changes a little is seen, what does not change is quiet."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pyarrow as pa
import pytest

from checks.base import Measurement, NotEnough, Window
from checks.calibration.build_reference import build_reference
from checks.data.schema import Schema
from checks.drift.feature import feature_drift
from checks.inputs import CheckOptions, WindowData
from checks.profile import Profile, merge, profile
from checks.reference import Reference
from checks.run_trailing import no_trailing_drift, trailing_drift

HOUR = 3600.0
ROWS = 80
"""A window; single ones of this size show a PSI from about 0.4 on."""
DAYS = 21
LEARNED = 28
OPTIONS = CheckOptions(min_rows=50)
NAMES = ("steady", "cycle", "kind")


def stream(hours: range, rng: np.random.Generator, shift: float = 0.0) -> pa.Table:
    """Rows of these hours: independent numbers, numbers that follow the time of day, and five kinds."""
    time = np.repeat(np.array(hours) * HOUR, ROWS) + np.tile(np.arange(ROWS), len(hours))
    day = np.sin(2 * np.pi * time / 86400)
    return pa.table(
        {
            "time": pa.chunked_array([time]),
            "f:steady": pa.chunked_array([rng.normal(size=len(time)) + shift]),
            "f:cycle": pa.chunked_array([rng.normal(size=len(time)) + 0.5 * day]),
            "f:kind": pa.chunked_array(
                [pa.array([f"k{k}" for k in rng.choice(5, len(time), p=[0.4, 0.3, 0.15, 0.1, 0.05])])]
            ),
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    schema = Schema(None, (("steady", "numeric"), ("cycle", "numeric"), ("kind", "categorical")))
    return build_reference(stream(range(24 * LEARNED), np.random.default_rng(1)), schema)


def beyond(rows: list[Measurement]) -> list[str]:
    """The features whose PSI is above its limit."""
    return [
        dict(row.labels)["feature"]
        for row in rows
        if row.name == "feature_drift"
        and ("method", "psi") in row.labels
        and row.value is not None
        and row.limit_high is not None
        and row.value > row.limit_high
    ]


def watched(reference: Reference, shift: float, seed: int, over: int) -> tuple[list[str], list[str]]:
    """What single windows and those over so many hours show, over three weeks of closings."""
    rng = np.random.default_rng(seed)
    hours: list[Profile] = []
    single, longer = [], []
    for hour in range(24 * LEARNED, 24 * (LEARNED + DAYS)):
        hours.append(profile(stream(range(hour, hour + 1), rng, shift), reference.binning))
        window = Window(hour * HOUR, (hour + 1) * HOUR)
        single += beyond(feature_drift(WindowData(window, hours[-1], ROWS), reference, OPTIONS))
        if len(hours) >= over and len(hours) % 3 == 0:
            merged = reduce(merge, hours[-over:])
            data = WindowData(Window(window.end - over * HOUR, window.end), merged, merged.n)
            longer += beyond(trailing_drift(f"{over}h", data, reference, OPTIONS).measurements)
    return single, longer


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("over", [24, 168])
def test_what_does_not_change_is_quiet(reference: Reference, seed: int, over: int) -> None:
    _, longer = watched(reference, 0.0, seed, over)
    assert longer == []


@pytest.mark.parametrize("over", [24, 168])
def test_a_shift_that_single_windows_hardly_show_is_seen_in_every_longer_one(reference: Reference, over: int) -> None:
    single, longer = watched(reference, 0.36, 13, over)
    assert single.count("steady") < 0.05 * 24 * DAYS
    assert longer == ["steady"] * ((24 * DAYS - over) // 3 + 1)


def test_it_is_measured_by_the_first_method_and_says_over_what(reference: Reference) -> None:
    made = profile(stream(range(24), np.random.default_rng(2)), reference.binning)
    data = WindowData(Window(0.0, 24 * HOUR), made, made.n)
    found = trailing_drift("1d", data, reference, OPTIONS).measurements
    assert {dict(row.labels)["over"] for row in found} == {"1d"}
    assert {dict(row.labels).get("method") for row in found if row.name == "feature_drift"} == {"psi"}
    assert {dict(row.labels)["feature"] for row in found if row.name == "feature_drift"} == set(NAMES)
    assert all(row.window == data.window and row.n == 24 * ROWS for row in found if row.name != "prediction_drift")


def test_without_a_value_there_is_one_reason(reference: Reference) -> None:
    row = no_trailing_drift("7d", Window(0.0, 168 * HOUR), NotEnough.SHORT_HISTORY)
    assert (row.name, row.labels, row.reason) == ("drifted_features", (("over", "7d"),), NotEnough.SHORT_HISTORY)
