"""Two tables compared: verdicts, what can't be compared, and what is left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from checks.data.schema import SchemaError, SchemaOverrides
from checks.drift.presets.compare import compare_exact
from checks.report import ColumnReport, Report, compare
from checks.report.result import PRESETS
from tests.checks.report.tables import EMPTY, MIXED, NAN, WRONG, fifty, with_three_wrong

BEFORE = fifty()
NOW = fifty(seed=1)


def column(report: Report, name: str) -> ColumnReport:
    return next(one for one in report.columns if one.name == name)


def errors(report: Report) -> dict[str, str]:
    return {one.name: one.error for one in report.columns if one.error is not None}


@pytest.mark.parametrize("preset", PRESETS)
def test_of_fifty_columns_with_three_wrong_ones_all_others_are_measured(preset: Any) -> None:
    report = compare(BEFORE, with_three_wrong(NOW), preset=preset)
    assert (len(report.columns), len(report.measured)) == (50, 48)
    found = errors(report)
    assert set(found) == WRONG - {MIXED}
    assert "value in the current data" in found[EMPTY]
    assert "value in the current data" in found[NAN]
    assert column(report, MIXED).quality["type_mismatch_ratio"]["value"] == 0.2
    assert column(report, MIXED).n_current == 1_600
    assert not any(column(report, name).drifted for name in WRONG)
    assert column(report, NAN).missing == {"reference": 0.0, "current": 1.0}
    assert {one.name for one in report.breached} >= WRONG


def test_wrong_columns_of_the_reference_are_named_too() -> None:
    report = compare(with_three_wrong(BEFORE), NOW)
    assert errors(report).keys() == WRONG - {MIXED}, "texts in a reference are categories"
    assert "in the reference" in errors(report)[EMPTY]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_shift_is_drift_and_unchanged_columns_are_none(preset: Any) -> None:
    shifted = NOW.assign(f03=NOW["f03"] + 2, c1="a")
    report = compare(BEFORE, shifted, preset=preset)
    assert report.drifted
    assert {"f03", "c1"} <= {one.name for one in report.columns if one.drifted}
    assert {one.name for one in report.ranked[:2]} == {"f03", "c1"}
    moved = column(report, "f03")
    assert moved.value is not None
    assert moved.threshold is not None
    assert moved.excess > 0
    assert (moved.n_reference, moved.n_current) == (2_000, 2_000)
    assert "mean 3" in moved.why
    assert moved.moved[0]["contribution"] > 0.2


def test_calibrated_limits_keep_quiet_over_fifty_unchanged_columns() -> None:
    for seed in range(3):
        assert not compare(BEFORE, fifty(500, seed=10 + seed)).drifted


@pytest.mark.parametrize("preset", ["evidently", "nannyml"])
def test_exact_presets_give_the_preset_s_own_numbers(preset: Any) -> None:
    report = compare(BEFORE[["f01", "c0"]], NOW[["f01", "c0"]], preset=preset)
    for name, kind in (("f01", "numeric"), ("c0", "categorical")):
        sides = (pa.array(list(frame[name])) for frame in (BEFORE, NOW))
        exact = compare_exact(*sides, kind, preset)  # type: ignore[arg-type]
        found = column(report, name)
        assert (found.method, found.value, found.threshold) == (exact.method, exact.value, exact.threshold)
        assert found.drifted == exact.drifted


def test_nannyml_s_chunks_are_cut_in_the_order_of_time() -> None:
    time = 1.6e9 + 60.0 * np.arange(len(BEFORE))
    slow = BEFORE[["f01"]].assign(f01=BEFORE["f01"] + np.linspace(0, 3, len(BEFORE)), time=time)
    shuffled = slow.sample(frac=1, random_state=0)
    ordered, mixed = (compare(frame, slow[-300:], preset="nannyml") for frame in (slow, shuffled))
    assert column(ordered, "f01").threshold == column(mixed, "f01").threshold


def test_every_kind_of_frame_gives_the_same() -> None:
    arrow = [pa.Table.from_pandas(frame, preserve_index=False) for frame in (BEFORE, NOW)]
    same = compare(BEFORE, NOW).to_json()
    assert compare(*arrow).to_json() == same
    polars = [pl.from_pandas(frame) for frame in (BEFORE, NOW)]
    assert compare(*polars).to_json() == same
    places = [frame.with_columns(pl.col("^c.*$").cast(pl.Categorical)) for frame in polars]
    assert compare(*places).to_json() == same
    with pytest.raises(SchemaError, match="dict is no table"):
        compare({"a": [1]}, NOW)


def test_missing_extra_and_changed_columns_are_entries() -> None:
    now = NOW[["f00", "f01", "c0"]].assign(f01=(NOW["f01"] > 1), c0=1, more=2.5)
    report = compare(BEFORE[["f00", "f01", "c0", "c1"]], now)
    assert [one.name for one in report.columns] == ["f00", "f01", "c0", "c1", "more"]
    assert errors(report) == {"c1": "is not in the current data", "more": "is not in the reference"}
    assert column(report, "c0").notes == ("held texts in the reference and holds numbers now",)
    assert column(report, "c0").drifted
    assert column(report, "f01").notes == ("held numbers in the reference and holds true and false now",)


def test_ids_and_times_are_left_out_and_times_compared_by_their_parts() -> None:
    rows = 2_000
    frame = BEFORE[["f00"]].assign(
        id=[f"row-{i}" for i in range(rows)],
        time=pd.date_range("2026-01-01", periods=rows, freq="5min"),
        due=pd.date_range("2026-03-01", periods=rows, freq="h"),
    )
    report = compare(frame, frame)
    assert dict(report.excluded) == {"id": "the rows' ids", "time": "the time of the rows"}
    assert [one.name for one in report.columns] == ["f00", "due.hour", "due.weekday"]
    exact = compare(frame, frame, preset="evidently")
    assert [one.name for one in exact.columns] == ["f00"]
    assert dict(exact.excluded)["due"] == "a time, which evidently does not compare"


def test_roles_are_told() -> None:
    frame = BEFORE[["f00", "f01", "f02", "c0"]].set_axis(["target", "y_pred", "proba", "c0"], axis=1)
    report = compare(frame, frame)
    assert [one.role for one in report.columns] == ["target", "prediction", "score", "feature"]
    named = compare(frame, frame, schema=SchemaOverrides(target="c0"))
    assert [one.role for one in named.columns] == ["feature", "prediction", "score", "target"]


def test_limits_are_learned_from_parts_as_long_as_the_current_data() -> None:
    rng = np.random.default_rng(0)
    hours = 24 * 40
    level = np.repeat(rng.normal(0, 1, 40), 24 * 20)  # each day has its own level
    time = 1.7e9 + np.repeat(np.arange(hours), 20) * 3600.0
    days = pd.DataFrame({"time": time, "x": level + rng.normal(0, 1, len(time))})
    now = pd.DataFrame({"time": 1.71e9 + np.arange(480) * 180.0, "x": 1.0 + rng.normal(0, 1, 480)})
    learned = compare(days, now)
    alone = compare(days.drop(columns="time"), now.drop(columns="time"))
    assert not learned.notes
    assert column(alone, "x").drifted
    assert not column(learned, "x").drifted, "days of the reference differ as much"
    assert "no column of times" in alone.notes[0]
    short = compare(days[: 24 * 20 * 5], now)
    assert "fewer than 12 parts as long as the current data (1 day)" in short.notes[0]


def test_columns_that_matter_more_are_told_first() -> None:
    now = NOW.assign(f03=NOW["f03"] + 3, f05=NOW["f05"] + 0.8, f07=NOW["f07"] + 2)

    def first(**importance: float) -> list[str]:
        return [one.name for one in compare(BEFORE, now, importance=importance).ranked[:3]]

    assert first() == ["f03", "f07", "f05"]
    assert first(f05=9.0, f07=0.1) == ["f05", "f07", "f03"]
    assert first(f01=1.0) == ["f03", "f07", "f05"], "by their distance where all matter the same"
    plain = json.loads(compare(BEFORE, now, importance={"f05": 9.0}).to_json())
    assert {one["name"]: one["importance"] for one in plain["columns"] if one["importance"]} == {"f05": 9.0}


def test_columns_may_be_chosen() -> None:
    report = compare(BEFORE, NOW, columns=["f01", "c1"])
    assert [one.name for one in report.columns] == ["f01", "c1"]
    assert len(compare(BEFORE, NOW, ignore=["f01", "c1"]).columns) == 48
    assert column(compare(BEFORE, NOW, columns=["f01"], method="jensenshannon"), "f01").method == "jensenshannon"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"columns": ["c_1"]}, "no column 'c_1'; did you mean 'c1'?"),
        ({"preset": "evidentli"}, "no preset 'evidentli'; take one of calibrated, evidently, nannyml"),
        ({"method": "psy"}, "calibrated has no method 'psy'; it has "),
        ({"preset": "nannyml", "method": "psi"}, "nannyml has no method 'psi'; it has "),
    ],
)
def test_what_makes_no_sense_is_one_sentence(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError) as error:
        compare(BEFORE, NOW, **keys)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_to_compare_is_told() -> None:
    with pytest.raises(SchemaError, match="current holds no rows"):
        compare(BEFORE, NOW[:0])
    with pytest.raises(SchemaError, match="share no column"):
        compare(BEFORE[["f00"]], NOW[["f01"]])


def test_too_few_values_say_nothing_in_the_calibrated_preset() -> None:
    assert "fewer than 30 values" in errors(compare(BEFORE[["f00"]], NOW[["f00"]][:20]))["f00"]


def test_odd_values_cost_no_column() -> None:
    odd = pd.DataFrame(
        {
            "huge": [1e308, -1e308] * 500,
            "infinite": [np.inf, 1.0] * 500,
            "constant": [7] * 1_000,
            "tiny": [5e-324, 0.0] * 500,
            "words": ["a\x00b", "<script>", "$x$", None] * 250,
            "lists": [[1], [2]] * 500,
        }
    )
    for preset in PRESETS:
        report = compare(odd, odd, preset=preset)
        plain = json.loads(report.to_json())
        assert [one["name"] for one in plain["columns"]] == list(odd.columns)[:-1]
        assert report.to_html()
        assert not report.drifted
        assert not report.worse
        assert "can't be watched" in dict(report.excluded)["lists"]


def test_the_json_is_the_contract_s() -> None:
    plain = json.loads(compare(BEFORE, with_three_wrong(NOW)).to_json())
    asked = {"name", "type", "method", "value", "threshold", "drifted", "n_reference", "n_current", "error"}
    assert all(asked <= set(one) for one in plain["columns"])
    assert plain["drifted"] is False
    assert (plain["compared"], plain["not_compared"]) == (48, 2)
    for one in plain["columns"]:
        assert (one["error"] is None) == (one["value"] is not None) == (one["drifted"] is not None)


@pytest.mark.release
def test_a_thousand_columns_make_a_page_of_bounded_size() -> None:
    rng = np.random.default_rng(0)
    before, now = (pd.DataFrame(rng.normal(shift, 1, (300, 1_000))) for shift in (0, 1))
    html = compare(before, now).to_html()
    assert html.count('<th scope="row">') == 1_000
    assert html.count("<article") == 60
    assert "940 more are in the table" in html
    assert len(html) < 1_000_000


def test_comparing_loads_neither_evidently_nor_pandas(tmp_path: Path) -> None:
    BEFORE.to_csv(tmp_path / "rows.csv", index=False)
    program = (
        "import sys, pyarrow.csv; from checks.report import compare; table = pyarrow.csv.read_csv('rows.csv'); "
        "compare(table, table).to_html(); compare(table, table, preset='evidently'); "
        "print(*sorted({'evidently', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == []
