"""Drift of features and predictions over whole windows."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from checks.base import NotEnough
from checks.inputs import CheckOptions
from tests.checks.sample import measure, one, reference, table

REFERENCE = reference()


def test_unchanged_rows_stay_below_every_limit() -> None:
    outcome = measure(REFERENCE, table(500, seed=9))
    assert not outcome.errors
    rows = [row for row in outcome.measurements if row.name in ("feature_drift", "prediction_drift")]
    assert len(rows) == 8
    for row in rows:
        assert row.value is not None
        assert row.limit_high is not None
        assert row.value < row.limit_high
        assert row.limit_high >= 0.1
        assert row.n == 500
    assert one(outcome, "drifted_features").value == 0.0


def test_a_changed_unit_is_seen_and_says_what_moved() -> None:
    rows = table(500, seed=9)
    changed = rows.set_column(rows.column_names.index("amount"), "amount", pa.array(rows["amount"].to_numpy() * 1.609))
    outcome = measure(REFERENCE, changed)
    drift = one(outcome, "feature_drift", feature="amount", method="psi")
    assert drift.value is not None
    assert drift.limit_high is not None
    assert drift.value > 10 * drift.limit_high
    moved = drift.detail["moved"]
    assert len(moved) == 3
    assert moved[0]["bin"].endswith("or more")
    assert moved[0]["reference"] == pytest.approx(0.1, abs=0.01)
    assert moved[0]["current"] > 0.9
    assert drift.detail["mean"]["current"] == pytest.approx(1.609 * drift.detail["mean"]["reference"], rel=0.05)
    count = one(outcome, "drifted_features")
    assert (count.value, [driver["feature"] for driver in count.detail["features"]]) == (1.0, ["amount"])
    assert count.detail["why"] == [drift.detail["why"]]


def test_features_are_ranked_by_excess_and_by_what_they_matter() -> None:
    rows = table(1_000, seed=9)
    amount = rows["amount"].to_numpy() * 1.609
    changed = table(1_000, seed=9, amount=amount, city=["Rome"] * 1_000)

    def ranked(**importance: float) -> list[str]:
        count = one(measure(REFERENCE, changed, CheckOptions(importance=importance)), "drifted_features")
        return [driver["feature"] for driver in count.detail["features"]]

    first, second = ranked()
    assert ranked(**{first: 0.01, second: 1.0}) == [second, first]
    assert ranked(**{second: 0.1}) == [second, first], "one that nothing is said of comes last"


def test_a_drift_is_told_in_one_sentence() -> None:
    full = table(2_000, seed=9)
    amount = [None if i % 4 == 0 else 1.609 * value for i, value in enumerate(full["amount"].to_pylist())]
    drift = one(
        measure(REFERENCE, table(2_000, seed=9, amount=amount)), "feature_drift", feature="amount", method="psi"
    )
    told = re.fullmatch(r"amount: (\d+) % of values now at \S+ or more, ([\d.]+) % before; (.*)", drift.detail["why"])
    assert told
    assert int(told[1]) > 90
    assert float(told[2]) < 20
    assert re.fullmatch(r"mean [\d.]+ → [\d.]+; missing 0 → 25 %", told[3])
    parts = [entry["contribution"] for entry in drift.detail["moved"]]
    assert parts == sorted(parts, reverse=True)
    assert 0.5 < sum(parts) <= 1.001


def test_a_new_category_drifts_and_is_named() -> None:
    outcome = measure(REFERENCE, table(500, seed=9, city=["Berlin"] * 200 + ["Rome"] * 300))
    drift = one(outcome, "feature_drift", feature="city", method="jensenshannon")
    assert drift.value is not None
    assert drift.value > 0.5
    assert drift.detail["new"] == ["Berlin"]
    assert {entry["bin"] for entry in drift.detail["moved"]} & {"(new)"}


def test_missing_values_are_no_drift() -> None:
    full = table(2_000, seed=9)
    amount = full["amount"].to_pylist()
    half = table(2_000, seed=9, amount=[value if i % 2 else None for i, value in enumerate(amount)])
    drift = one(measure(REFERENCE, half), "feature_drift", feature="amount", method="psi")
    assert drift.value is not None
    assert drift.value < 0.05
    assert drift.n == 1_000
    assert drift.detail["missing"] == {"reference": 0.0, "current": 0.5}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (table(0), NotEnough.NO_ROWS),
        (table(199), NotEnough.TOO_FEW_ROWS),
        (table(500, amount=pa.nulls(500, pa.float64())), NotEnough.ALL_MISSING),
        (table(500, amount=[1.0] * 20 + [None] * 480), NotEnough.TOO_FEW_ROWS),
    ],
)
def test_too_little_is_a_reason_and_no_number(rows: pa.Table, reason: NotEnough) -> None:
    drift = one(measure(REFERENCE, rows), "feature_drift", feature="amount", method="psi")
    assert (drift.value, drift.reason) == (None, reason)


def test_a_column_without_values_costs_no_other() -> None:
    outcome = measure(REFERENCE, table(500, seed=9, amount=pa.nulls(500, pa.float64())))
    assert one(outcome, "feature_drift", feature="city", method="psi").value is not None
    assert one(outcome, "drifted_features").detail["compared"] == 2


def test_options_choose_methods_and_features() -> None:
    outcome = measure(REFERENCE, table(500), CheckOptions(methods=("jensenshannon",), ignore=("city",)))
    drift = [dict(row.labels) for row in outcome.measurements if row.name == "feature_drift"]
    assert drift == [{"feature": name, "method": "jensenshannon"} for name in ("amount", "night")]
    none = measure(REFERENCE, table(500), CheckOptions(drift=False))
    assert not [row for row in none.measurements if "drift" in row.name]


def test_prediction_drift_is_over_the_score() -> None:
    # Every score is higher, and hardly a class changes.
    rows = table(1_000, seed=9)
    score = rows["score"].to_numpy()
    higher = table(1_000, seed=9, score=np.clip(score + 0.15, 0, 1), prediction=(score >= 0.5).astype(int))
    drift = one(measure(REFERENCE, higher), "prediction_drift", method="psi")
    assert drift.value is not None
    assert drift.limit_high is not None
    assert drift.value > drift.limit_high


def test_without_a_reference_nothing_is_known() -> None:
    outcome = measure(None, table(500))
    assert one(outcome, "drifted_features").reason == NotEnough.NO_REFERENCE
    assert one(outcome, "prediction_drift", method="psi").reason == NotEnough.NO_REFERENCE
    assert not [row for row in outcome.measurements if row.name == "feature_drift"]


def test_a_reference_of_features_alone_watches_features() -> None:
    alone = reference(target=None, prediction=None, score=None)
    outcome = measure(alone, table(500, target=None, prediction=None, score=None))
    assert one(outcome, "prediction_drift", method="psi").reason == NotEnough.NOT_IN_REFERENCE
    assert one(outcome, "feature_drift", feature="city", method="psi").value is not None
