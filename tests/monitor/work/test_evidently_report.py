"""What Evidently finds, as measurements; one column's trouble is its own."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from checks.base import NotEnough, Window
from checks.schema import Schema
from monitor.work.evidently_report import ReportError, _failed, _flat, _numbers, _Run
from monitor.work.reports import PRESETS, ReportTask

WINDOW = Window(0.0, 3600.0)
SCHEMA = Schema(
    "binary",
    (("a", "numeric"), ("b", "numeric"), ("c", "categorical")),
    target="target",
    prediction="prediction",
    positive_class="1",
)


def frame(seed: int, rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame({"a": rng.normal(0, 1, rows), "b": rng.normal(0, 1, rows), "c": rng.choice(list("xyz"), rows)})
    made["target"] = rng.choice(["0", "1"], rows)
    made["prediction"] = made["target"].where(rng.random(rows) < 0.9, "0")
    return made


def task(**keys: object) -> ReportTask:
    return ReportTask("weekly", WINDOW, 1, "reference.csv", **keys)  # type: ignore[arg-type]


def test_the_presets_are_evidentlys_own() -> None:
    import evidently.presets

    assert sorted(PRESETS) == sorted(name for name in dir(evidently.presets) if name.endswith("Preset"))


def test_a_shifted_column_is_beyond_evidentlys_threshold_and_others_are_not() -> None:
    drifted = frame(1)
    drifted["a"] += 3.0
    snapshot, bad = _Run(task(preset="DataDriftPreset"), SCHEMA, drifted, frame(2)).snapshot()
    rows = {
        (dict(row.labels)["metric"], dict(row.labels).get("column")): row for row in _numbers(snapshot, task(), 400)
    }
    assert not bad
    shifted, steady = rows["ValueDrift", "a"], rows["ValueDrift", "b"]
    assert shifted.value is not None and shifted.limit_low is not None and shifted.value < shifted.limit_low
    assert steady.value is not None and steady.limit_low is not None and steady.value > steady.limit_low
    assert (shifted.detail["method"], shifted.n) == ("K-S p_value", 400)


def test_an_empty_column_is_an_error_of_its_own_and_the_others_are_measured() -> None:
    broken = frame(1)
    broken["b"] = math.nan
    wanted = task(preset="DataDriftPreset")
    snapshot, bad = _Run(wanted, SCHEMA, broken, frame(2)).snapshot()
    columns = {dict(row.labels).get("column") for row in _numbers(snapshot, wanted, 400)}
    assert {"a", "c"} <= columns
    assert "b" not in columns
    (row,) = _failed(bad, wanted)
    assert (row.value, row.reason) == (None, NotEnough.ERROR)
    assert "mpty column 'b'" in row.detail["error"]


def test_performance_is_measured_where_there_are_labels_and_names_stay_distinct() -> None:
    wanted = task(preset="ClassificationPreset")
    snapshot, _ = _Run(wanted, SCHEMA, frame(1), frame(2)).snapshot()
    rows = _numbers(snapshot, wanted, 400)
    assert len({row.labels for row in rows}) == len(rows)
    (accuracy,) = (row for row in rows if dict(row.labels)["metric"] == "Accuracy")
    assert accuracy.value is not None and accuracy.value > 0.8


def test_metrics_by_name_with_options() -> None:
    wanted = task(metrics=("RowCount", {"MeanValue": {"column": "a"}}))
    snapshot, _ = _Run(wanted, SCHEMA, frame(1), frame(2)).snapshot()
    found = {dict(row.labels)["metric"]: row.value for row in _numbers(snapshot, wanted, 400)}
    assert found["RowCount"] == 400.0
    assert found["MeanValue"] == pytest.approx(frame(1)["a"].mean())


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (task(metrics=("NoSuchMetric",)), "has no NoSuchMetric"),
        (task(preset="DataDriftPreset", options={"wrong": 1}), "does not take these options"),
    ],
)
def test_what_evidently_does_not_know_is_said(wanted: ReportTask, said: str) -> None:
    with pytest.raises(ReportError, match=said):
        _Run(wanted, SCHEMA, frame(1), frame(2)).snapshot()


def test_numbers_within_numbers_are_named_by_their_place() -> None:
    assert dict(_flat({"x": {"count": 3, "share": 0.5}, "y": None, "z": True})) == {"x.count": 3.0, "x.share": 0.5}
