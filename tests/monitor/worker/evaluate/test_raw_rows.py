"""Drift by a preset, from what is stored: a window's rows as of its closing, and the reference's file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from checks.base import Measurement, NotEnough
from checks.data.arrow import float_array, string_array
from checks.drift.presets.compare import compare_exact
from checks.inputs import CheckOptions, PresetName
from monitor.store.references.plan import ReferencePlan
from monitor.worker.messages import ModelOptions, WindowResult
from tests.monitor.worker.judged import judge
from tests.monitor.worker.log import HOUR, START, Log, Prediction
from tests.monitor.worker.sample import reference_table, write_reference

DISTANCES = np.random.default_rng(8).normal(900, 300, 120)
CARRIERS = ["UA"] * 60 + ["B6"] * 50 + ["XX"] * 10


def verdict(tmp_path: Path, **options: object) -> WindowResult:
    """On one window of these rows; a later one that came too late for it is not seen."""
    path = tmp_path / "reference.parquet"
    checks = CheckOptions(min_rows=20, **options)  # type: ignore[arg-type]
    own = ModelOptions("delays", allowed_lateness=0.0, checks=checks, plan=ReferencePlan("file", str(path)))
    log = Log(tmp_path / "w.db", own)
    write_reference(log, tmp_path)
    rows = zip(DISTANCES.tolist(), CARRIERS, strict=True)
    log.predict(
        *(
            Prediction(str(place), START + place, {"distance": distance, "carrier": carrier})
            for place, (distance, carrier) in enumerate(rows)
        )
    )
    log.predict(Prediction("next", START + HOUR + 1))
    log.predict(Prediction("late", START + 5, {"distance": 1e9, "carrier": "late"}))
    return judge(log)[0]


def drift(found: WindowResult, feature: str) -> Measurement:
    (row,) = (
        row
        for row in found.measurements
        if row.name == "feature_drift" and dict(row.labels)["feature"] == feature and not row.secondary
    )
    return row


@pytest.mark.parametrize("preset", ["evidently", "nannyml"])
def test_the_windows_rows_are_compared_with_the_files(preset: PresetName, tmp_path: Path) -> None:
    found = verdict(tmp_path, preset=preset, methods=())
    assert found.errors == {}
    table = reference_table()
    columns = {"distance": float_array(DISTANCES), "carrier": string_array(CARRIERS)}
    for feature, current in columns.items():
        kind = "numeric" if feature == "distance" else "categorical"
        want = compare_exact(table[feature], current, kind, preset)  # type: ignore[arg-type]
        row = drift(found, feature)
        assert want.error is None
        assert (row.value, row.limit_high, row.limit_low) == (want.value, want.limit_high, want.limit_low)
        assert (dict(row.labels)["method"], row.n) == (want.method, 120)
        assert row.detail["moved"]
    count = next(row for row in found.measurements if row.name == "drifted_features")
    assert count.value == sum(bool(drift(found, feature).detail["drifted"]) for feature in columns)


def test_without_the_file_drift_fails_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "reference.parquet"
    own = ModelOptions(
        "delays",
        allowed_lateness=0.0,
        checks=CheckOptions(min_rows=2, preset="evidently"),
        plan=ReferencePlan("file", str(path)),
    )
    log = Log(tmp_path / "w.db", replace(own, checks=replace(own.checks, methods=())))
    write_reference(log, tmp_path)
    pq.write_table(reference_table(300), path)
    log.predict(*(Prediction(str(place), START + place) for place in range(30)))
    log.predict(Prediction("next", START + HOUR + 1))
    found = judge(log)[0]
    assert "is not what it was when it was built" in found.errors["drift"]
    assert set(found.failed) == {"feature_drift", "drifted_features", "prediction_drift"}
    assert any(row.name == "missing_ratio" and row.value is not None for row in found.measurements)


def test_an_empty_window_is_a_reason(tmp_path: Path) -> None:
    own = ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=2, preset="nannyml", methods=()))
    log = Log(tmp_path / "w.db", replace(own, plan=ReferencePlan("file", str(tmp_path / "reference.parquet"))))
    write_reference(log, tmp_path)
    log.predict(Prediction("a", START + 1))
    log.predict(Prediction("b", START + 2 * HOUR + 1))
    found = judge(log)[1]
    assert {row.reason for row in found.measurements if "drift" in row.name} == {NotEnough.NO_ROWS}
