"""References: what they learn from their own windows, and what they say about it."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from checks.base import labels
from checks.calibration.build_reference import build_reference
from checks.calibration.reference_windows import ReferenceWindows, cut, outsiders, strangers
from checks.data.frame import from_reference
from checks.data.schema_inference import infer
from checks.profile import ProfileError
from checks.reference import Reference
from checks.run import CHECKS
from tests.checks.sample import HOUR, measure, one, reference, table


def psi_limit(made: Reference, feature: str, n: int) -> float:
    limit = made.calibration.limit("feature_drift", labels(feature=feature, method="psi"), n)
    assert limit is not None
    return limit


def test_a_daily_cycle_is_normal_where_the_reference_has_it() -> None:
    rng = np.random.default_rng(0)
    hour = np.arange(48_000) * 96 // 48_000 % 24
    warm = np.sin(hour / 24 * 2 * np.pi) + rng.normal(size=48_000)
    made = reference(48_000, hours=96.0, amount=warm)
    assert psi_limit(made, "amount", 500) > 1.0
    assert psi_limit(made, "city", 500) < 0.2
    afternoon = table(500, seed=3, amount=np.random.default_rng(4).normal(1, 1, 500))
    drift = one(measure(made, afternoon), "feature_drift", feature="amount", method="psi")
    assert drift.value is not None and drift.limit_high is not None
    assert 0.3 < drift.value < drift.limit_high


def test_unchanged_windows_of_every_size_hardly_ever_pass() -> None:
    made = reference()
    passed = total = 0
    for seed in range(60):
        for rows in (200, 500, 3_000):
            outcome = measure(made, table(rows, seed=1_000 + seed))
            for row in outcome.measurements:
                if row.value is None:
                    continue
                total += row.limit_high is not None or row.limit_low is not None
                passed += row.limit_high is not None and row.value > row.limit_high
                passed += row.limit_low is not None and row.value < row.limit_low
    assert total > 4_000
    assert passed <= 3


def test_one_exceptional_window_of_the_reference_widens_nothing() -> None:
    usual = table(24_000)
    amount = usual["amount"].to_numpy().copy()
    amount[5_000:5_500] += 200
    made = reference(amount=amount)
    assert psi_limit(made, "amount", 500) > 0.5  # 1 of 48 is more than a fiftieth
    long = table(48_000, hours=96.0)["amount"].to_numpy().copy()
    long[5_000:5_500] += 200
    assert psi_limit(reference(48_000, hours=96.0, amount=long), "amount", 500) < 0.2


def test_a_column_that_is_at_times_all_missing_has_a_limit_below_one() -> None:
    amount: list[float | None] = table(48_000)["amount"].to_pylist()
    amount[10_000:10_500] = [None] * 500
    made = reference(48_000, hours=96.0, amount=amount)
    limit = made.calibration.limit("missing_ratio", labels(feature="amount"), 500)
    assert limit is not None
    assert limit <= 0.1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"time": None}, "has no time column"),
        ({"hours": 3.0}, "fewer than 8 windows of 3600 s"),
        ({"target": None}, "no target"),
        ({"target": None, "prediction": None, "score": None}, "only features are watched"),
    ],
)
def test_what_limits_rest_on_is_said(columns: dict[str, object], words: str) -> None:
    made = reference(12_000, **columns)
    assert any(words in note for note in made.notes)
    assert psi_limit(made, "amount", 1_000) == pytest.approx(0.1, abs=0.02)
    assert psi_limit(made, "amount", 200) > 0.1


def test_a_feature_that_follows_the_clock_is_named() -> None:
    made = reference(hours=24.0, amount=(np.arange(24_000) // 1_000).astype(float))
    assert any("amount" in note and "no single window can show drift" in note for note in made.notes)
    assert not any("city" in note for note in made.notes)


def test_performance_limits_know_how_windows_vary() -> None:
    accuracy = ("performance", labels(metric="accuracy"))
    made = reference()
    limit = made.calibration.limit(*accuracy, 500)
    assert limit is not None
    normal = made.performance["accuracy"].value
    assert normal - 0.15 < limit <= normal - 0.02
    wider = made.calibration.limit(*accuracy, 100)
    assert wider is not None
    assert wider < limit


def test_bytes_there_and_back_give_the_same_measurements() -> None:
    made = reference()
    again = Reference.from_bytes(made.to_bytes())
    rows = table(500, seed=8)
    assert measure(again, rows).measurements == measure(made, rows).measurements
    assert (again.notes, again.n, again.schema) == (made.notes, made.n, made.schema)


def test_the_same_rows_give_the_same_reference() -> None:
    assert reference(4_000).to_bytes() == reference(4_000).to_bytes()


def test_another_version_is_refused() -> None:
    newer = msgspec.msgpack.encode(msgspec.msgpack.decode(reference(2_000).to_bytes()) | {"version": 7})
    with pytest.raises(ProfileError, match="reference has version 7"):
        Reference.from_bytes(newer)


def test_progress_goes_up_to_one() -> None:
    rows = table(2_000)
    schema = infer(rows)
    told: list[float] = []
    build_reference(from_reference(rows, schema), schema, bins=10, every=HOUR, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


# windows of the reference


def test_part_windows_at_the_ends_and_thin_ones_are_left_out() -> None:
    time = np.concatenate([np.full(10, 0.5), *[np.full(100, k + 0.5) for k in range(1, 11)], np.full(60, 11.5)])
    blocks = cut(pa.chunked_array([pa.array(time)]), 1.0, 50)
    assert blocks is not None
    assert blocks.rows.tolist() == [100] * 10
    assert (blocks.place[:10] == -1).all()
    assert (blocks.place[-60:] == -1).all()
    assert cut(pa.chunked_array([pa.array(time)]), 3.0, 50) is None


def test_strangers_are_categories_that_only_one_window_has() -> None:
    column = pa.chunked_array([["a", "x", "x", "a", "b", None, "y", "b"]])
    blocks = ReferenceWindows(np.array([0, 0, 0, 1, 1, 1, -1, 0], np.int32), np.array([4, 3]))
    assert strangers(column, blocks).tolist() == [2, 0]


def test_outsiders_are_beyond_the_range_of_all_other_rows() -> None:
    column = pa.chunked_array([[9.0, 8.0, 1.0, 5.0, 0.0, None]])
    blocks = ReferenceWindows(np.array([0, 0, 0, 1, 1, 1], np.int32), np.array([3, 3]))
    assert outsiders(column, blocks).tolist() == [2, 1]


def test_pandas_stays_out_of_the_whole_line() -> None:
    import subprocess

    script = """
import sys
import numpy as np
import pyarrow as pa
from checks.data.arrow import coded_array, float_array
from checks.base import Window
from checks.data.frame import from_reference
from checks.performance.scored import scored
from checks.profile import profile
from checks.calibration.build_reference import build_reference
from checks.reference import Reference
from checks.inputs import CheckOptions, WindowData
from checks.run import run_checks
from checks.data.schema_inference import infer
n = 3000
codes = (np.arange(n) % 2).astype(np.int32)
names = ["time", "x", "c", "target", "prediction", "score"]
columns = [float_array(1.4e9 + np.arange(n) * 60.0), float_array(np.sin(np.arange(n))), coded_array(codes, ["u", "v"]),
           coded_array(codes, ["no", "yes"]), coded_array(codes[::-1], ["no", "yes"]), float_array(codes * 0.5)]
table = pa.Table.from_arrays(columns, names=names)
schema = infer(table)
frame = from_reference(table, schema)
made = Reference.from_bytes(build_reference(frame, schema, every=3600.0).to_bytes())
rows = scored(frame, frame["label"], schema)
outcome = run_checks(WindowData(Window(0, 1), profile(frame, made.binning), n, rows), made, CheckOptions())
assert not outcome.errors, outcome.errors
for name in ("pandas", "scipy", "sklearn", "evidently"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_every_check_measures_what_it_is_listed_with() -> None:
    outcome = measure(reference(3_000), table(500))
    assert {row.name for row in outcome.measurements} == {name for check in CHECKS.values() for name in check.metrics}
