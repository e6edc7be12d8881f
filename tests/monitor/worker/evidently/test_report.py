"""What Evidently finds, as measurements; one column's trouble is its own."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from checks.base import NotEnough, Window
from checks.data.schema import Schema
from monitor.worker.evidently.catalog import ReportError, items
from monitor.worker.evidently.messages import PRESETS, ReportTask
from monitor.worker.evidently.page import UnknownLayout, quoted
from monitor.worker.evidently.run import ReportRun
from monitor.worker.evidently.values import NUMBERS_OF_ONE, failed, flat, numbers

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


def run(wanted: ReportTask, current: pd.DataFrame, normal: pd.DataFrame | None = None) -> ReportRun:
    of = items(wanted.preset, wanted.metrics, wanted.options)
    return ReportRun(of, SCHEMA, current, frame(2, len(current)) if normal is None else normal)


def test_the_presets_are_evidentlys_own() -> None:
    import evidently.presets

    assert sorted(PRESETS) == sorted(evidently.presets.__all__)


def test_a_shifted_column_is_beyond_evidentlys_threshold_and_others_are_not() -> None:
    drifted = frame(1)
    drifted["a"] += 3.0
    snapshot, bad = run(task(preset="DataDriftPreset"), drifted).snapshot()
    rows = {(dict(row.labels)["metric"], dict(row.labels).get("column")): row for row in numbers(snapshot, task(), 400)}
    assert not bad
    shifted, steady = rows["ValueDrift", "a"], rows["ValueDrift", "b"]
    assert shifted.value is not None and shifted.limit_low is not None and shifted.value < shifted.limit_low
    assert steady.value is not None and steady.limit_low is not None and steady.value > steady.limit_low
    assert (shifted.detail["method"], shifted.n) == ("K-S p_value", 400)


def test_an_empty_column_is_an_error_of_its_own_and_the_others_are_measured() -> None:
    broken = frame(1)
    broken["b"] = math.nan
    wanted = task(preset="DataDriftPreset")
    snapshot, bad = run(wanted, broken).snapshot()
    columns = {dict(row.labels).get("column") for row in numbers(snapshot, wanted, 400)}
    assert {"a", "c"} <= columns
    assert "b" not in columns
    (row,) = failed(bad, {"b": ["DataDriftPreset"]}, wanted)
    assert (row.value, row.reason) == (None, NotEnough.ERROR)
    assert "mpty column 'b'" in row.detail["error"]


def test_performance_is_measured_where_there_are_labels_and_names_stay_distinct() -> None:
    wanted = task(preset="ClassificationPreset")
    snapshot, _ = run(wanted, frame(1)).snapshot()
    rows = numbers(snapshot, wanted, 400)
    assert len({row.labels for row in rows}) == len(rows)
    (accuracy,) = (row for row in rows if dict(row.labels)["metric"] == "Accuracy")
    assert accuracy.value is not None and accuracy.value > 0.8


def test_metrics_by_name_with_options() -> None:
    wanted = task(metrics=("RowCount", {"MeanValue": {"column": "a"}}))
    snapshot, _ = run(wanted, frame(1)).snapshot()
    found = {dict(row.labels)["metric"]: row.value for row in numbers(snapshot, wanted, 400)}
    assert found["RowCount"] == 400.0
    assert found["MeanValue"] == pytest.approx(frame(1)["a"].mean())


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (task(metrics=("MeanValu",)), "no preset or metric 'MeanValu'; did you mean 'MeanValue'"),
        (task(preset="DataDriftPrest"), "no preset 'DataDriftPrest'; did you mean 'DataDriftPreset'"),
        (task(preset="DataDriftPreset", options={"drift_shar": 1}), "option 'drift_shar'; did you mean 'drift_share'"),
        (task(preset="DataDriftPreset", options={"drift_share": "x"}), "does not take these options: drift_share"),
        (task(metrics=({"MeanValue": {"column": "a", "bogus": 1}},)), "MeanValue has no option 'bogus'"),
        (task(metrics=("MeanValue",)), "does not take these options: column field required"),
        (task(metrics=({"MeanValue": {"column": "aa"}},)), "names column 'aa', which the model has not"),
        (task(metrics=("column_statistics",)), "no preset or metric 'column_statistics'"),
    ],
)
def test_what_evidently_does_not_know_is_said(wanted: ReportTask, said: str) -> None:
    with pytest.raises(ReportError, match=said):
        run(wanted, frame(1)).snapshot()


def test_numbers_within_numbers_are_named_by_their_place() -> None:
    assert dict(flat({"x": {"count": 3, "share": 0.5}, "y": None, "z": True})) == {"x.count": 3.0, "x.share": 0.5}


def test_metrics_of_one_column_fail_without_the_others() -> None:
    broken = frame(1)
    broken["b"] = math.nan
    wanted = task(metrics=({"ValueDrift": {"column": "a"}}, {"ValueDrift": {"column": "b"}}, "DriftedColumnsCount"))
    made = run(wanted, broken)
    snapshot, bad = made.snapshot()
    assert list(bad) == ["b"]
    assert made.names("b") == ["ValueDrift"]
    found = {(dict(row.labels)["metric"], dict(row.labels).get("column")) for row in numbers(snapshot, wanted, 400)}
    assert found == {("ValueDrift", "a"), ("DriftedColumnsCount", None)}


def test_what_fails_without_any_column_is_no_columns_error() -> None:
    unlabelled = frame(1).drop(columns=["target"])
    with pytest.raises(ReportError, match="classification"):
        run(task(preset="ClassificationPreset"), unlabelled).snapshot()


def test_several_bad_columns_among_many_are_found() -> None:
    schema = Schema(None, tuple((f"c{index}", "numeric") for index in range(12)))
    rng = np.random.default_rng(3)
    current, normal = (pd.DataFrame({name: rng.normal(size=200) for name, _ in schema.features}) for _ in range(2))
    current["c3"] = math.nan
    normal["c11"] = math.nan
    made = ReportRun(items("DataDriftPreset", (), {}), schema, current, normal)
    _, bad = made.snapshot()
    assert {name: "current" in text for name, text in bad.items()} == {"c3": True, "c11": False}


def test_predictions_drift_too_where_no_label_is_looked_at() -> None:
    wanted = task(preset="DataDriftPreset")
    snapshot, _ = run(wanted, frame(1).drop(columns=["target"])).snapshot()
    columns = {dict(row.labels).get("column") for row in numbers(snapshot, wanted, 400)}
    assert columns == {None, "a", "b", "c", "prediction"}


def test_a_metric_of_very_many_numbers_gives_none_and_leaves_room_for_others() -> None:
    many = frame(1, 3 * NUMBERS_OF_ONE)
    many["c"] = [str(index) for index in range(len(many))]
    wanted = task(preset="DataSummaryPreset")
    snapshot, _ = run(wanted, many).snapshot()
    found = {(dict(row.labels)["metric"], dict(row.labels).get("column")) for row in numbers(snapshot, wanted, 150)}
    assert ("UniqueValueCount", "c") not in found
    assert {("MissingValueCount", "c"), ("MeanValue", "b")} <= found


def test_what_data_say_does_not_end_the_pages_script() -> None:
    evil = "</script><script>alert(1)</script>"
    current = frame(1)
    current.loc[:200, "c"] = evil
    snapshot, _ = run(task(preset="DataDriftPreset"), current).snapshot()
    page = snapshot.get_html_str(as_iframe=False)
    assert evil in page, "or Evidently has learnt it, and the quoting can go"
    assert evil not in quoted(page)
    assert quoted(page).count("</script>") == quoted(page.replace(evil, "x")).count("</script>")
    with pytest.raises(UnknownLayout):
        quoted("<html><script>var other = 1;</script></html>")
