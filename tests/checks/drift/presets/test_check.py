"""Drift by a preset, as checks measure it over a window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.base import Measurement, NotEnough
from checks.calibration.build_reference import build_reference
from checks.data.frame import from_reference
from checks.data.schema_inference import infer
from checks.drift.presets.compare import compare_exact
from checks.inputs import CheckOptions, PresetName, WindowData
from checks.profile import profile
from checks.run import CheckOutcome, run_checks
from tests.checks.sample import HOUR, WINDOW, one, table

NORMAL = table(3_000)
SCHEMA = infer(NORMAL)
FRAME = from_reference(NORMAL, SCHEMA)
REFERENCE = build_reference(FRAME, SCHEMA, every=HOUR)
DRIFT = ("drift.feature", "drift.prediction")


@dataclass
class Frames:
    """Rows at hand."""

    rows: pa.Table

    def reference(self) -> pa.Table:
        return FRAME

    def current(self) -> pa.Table:
        return self.rows


def measured(rows: pa.Table, preset: PresetName, *methods: str, **options: Any) -> CheckOutcome:
    frame = from_reference(rows, SCHEMA)
    data = WindowData(WINDOW, profile(frame, REFERENCE.binning), frame.num_rows, exact=Frames(frame))
    given = CheckOptions(preset=preset, methods=methods, min_rows=50, **options)
    outcome = run_checks(data, REFERENCE, given, only=DRIFT)
    assert outcome.errors == {}
    return outcome


def drift(outcome: CheckOutcome) -> dict[str, Measurement]:
    """By feature, and the predictions' under no name."""
    return {
        dict(row.labels).get("feature", ""): row
        for row in outcome.measurements
        if row.name != "drifted_features" and not row.secondary
    }


def test_a_distance_has_an_upper_limit_and_a_p_value_a_lower_one() -> None:
    small = NORMAL.slice(0, 900)
    frame = from_reference(small, SCHEMA)
    reference = build_reference(frame, SCHEMA, every=HOUR)
    rows = table(400, seed=5, amount=np.random.default_rng(5).normal(110, 15, 400))
    data = WindowData(WINDOW, profile(from_reference(rows, SCHEMA), reference.binning), 400)
    for normal, method, statistic in ((FRAME, "wasserstein", "distance"), (frame, "ks", "p_value")):
        source = Frames(from_reference(rows, SCHEMA))
        source.reference = lambda normal=normal: normal  # type: ignore[method-assign,misc]
        options = CheckOptions(preset="evidently", methods=())
        outcome = run_checks(replace(data, exact=source), reference, options, only=DRIFT)
        found = drift(outcome)["amount"]
        assert dict(found.labels)["method"] == method
        assert (found.limit_low, found.limit_high) == ((None, 0.1) if statistic == "distance" else (0.05, None))
        assert found.detail["statistic"] == statistic
        assert found.detail["drifted"] is True
        assert found.value is not None
        assert (found.value > 0.1) if statistic == "distance" else (found.value < 0.05)


@pytest.mark.parametrize("preset", ["evidently", "nannyml"])
def test_the_numbers_are_the_presets(preset: PresetName) -> None:
    rows = table(600, seed=4, city=["Rome"] * 500 + ["Oslo"] * 100)
    outcome = measured(rows, preset)
    current = from_reference(rows, SCHEMA)
    kinds = {"amount": "numeric", "city": "categorical", "night": "boolean"}
    for feature, kind in kinds.items():
        want = compare_exact(FRAME[f"f:{feature}"], current[f"f:{feature}"], kind, preset)  # type: ignore[arg-type]
        found = drift(outcome)[feature]
        assert (found.value, found.limit_high, found.n) == (want.value, want.threshold, 600)
        assert found.detail["moved"]
    assert drift(outcome)[""].name == "prediction_drift"
    count = one(outcome, "drifted_features")
    assert count.value is not None
    assert "city" in [driver["feature"] for driver in count.detail["features"]]
    assert count.detail["compared"] == 3
    assert count.detail.get("dataset_drifted") == (False if preset == "evidently" else None)


def test_named_methods_go_to_the_columns_that_they_are_for_and_the_first_judges() -> None:
    outcome = measured(table(500, seed=6), "nannyml", "wasserstein", "chi2", "jensen_shannon")
    features = [row for row in outcome.measurements if row.name == "feature_drift"]
    found = {(row.labels[0][1], row.labels[1][1]): row.secondary for row in features}
    assert found == {
        ("amount", "wasserstein"): False,
        ("amount", "jensen_shannon"): True,
        ("city", "chi2"): False,
        ("city", "jensen_shannon"): True,
        ("night", "chi2"): False,
        ("night", "jensen_shannon"): True,
    }


def test_a_column_without_values_is_named_and_costs_no_other() -> None:
    outcome = measured(table(500, seed=7, amount=pa.nulls(500, pa.float64())), "evidently")
    found = drift(outcome)
    assert (found["amount"].value, found["amount"].reason) == (None, NotEnough.ALL_MISSING)
    assert found["city"].value is not None
    assert one(outcome, "drifted_features").detail["compared"] == 2


def test_too_few_rows_are_a_reason_under_the_usual_names() -> None:
    outcome = measured(table(20), "evidently")
    assert {name: dict(row.labels)["method"] for name, row in drift(outcome).items()} == {
        "amount": "wasserstein",
        "city": "jensenshannon",
        "night": "jensenshannon",
        "": "wasserstein",
    }
    assert {row.reason for row in outcome.measurements} == {NotEnough.TOO_FEW_ROWS}


def test_ignored_features_are_left_out() -> None:
    assert set(drift(measured(table(500), "evidently", ignore=("city",)))) == {"amount", "night", ""}
