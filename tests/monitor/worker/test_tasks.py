from __future__ import annotations

from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import select, update

from checks.base import Measurement, NotEnough, Window
from checks.data.schema import SchemaOverrides
from checks.inputs import CheckOptions
from checks.run import CHECKS, Check
from monitor.store.tables import profiles, progress, windows
from monitor.worker.evaluate import closing as closing_module
from monitor.worker.messages import ModelOptions
from monitor.worker.tasks import compact, measure, measure_many
from tests.monitor.worker.judged import answers, closings, hour, judge, names, one, value
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth
from tests.monitor.worker.sample import write_reference

FIRST, SECOND, THIRD = (Window(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(3))


@pytest.fixture
def options() -> ModelOptions:
    return ModelOptions(
        "delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=2), maturity=3 * HOUR, coverage=0.8
    )


@pytest.fixture
def referenced(log: Log, tmp_path: Path) -> Log:
    write_reference(log, tmp_path)
    return log


def test_a_closing_measures_its_window_by_every_check(referenced: Log) -> None:
    referenced.predict(*hour(0, 40, features={"distance": 2.0, "carrier": "UA"}))
    referenced.predict(*hour(1, 1))
    (verdict,) = judge(referenced)
    assert (verdict.errors, verdict.revisions, verdict.matured) == ({}, [], [])
    assert value(verdict.measurements, "window_rows", FIRST) == 40
    assert value(verdict.measurements, "missing_ratio", FIRST, feature="distance") == 0
    drift = one(verdict.measurements, "feature_drift", FIRST, feature="carrier", method="psi")
    assert drift.value is not None
    assert drift.value > 0.5
    assert value(verdict.measurements, "label_coverage_ratio", FIRST) == 0
    assert {"drift", "quality", "performance", "volume"} <= set(verdict.seconds)
    assert all(seconds >= 0 for seconds in verdict.seconds.values())


def test_rows_after_the_closing_do_not_count_even_when_compacted(referenced: Log) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    referenced.predict(*hour(0, 10, name="late"))
    referenced.label(*answers(hour(0, 10)))
    referenced.scan()
    compact(referenced.url, referenced.model, 1 << 40, referenced.options)
    (closing,) = referenced.closings()
    verdict = measure(referenced.url, referenced.model, closing, referenced.options)
    assert value(verdict.measurements, "window_rows", FIRST) == 10
    assert value(verdict.measurements, "label_coverage_ratio", FIRST) == 0


def test_an_empty_window_is_measured_and_says_why_it_has_no_values(referenced: Log) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(2, 1))
    _, verdict = judge(referenced)
    assert value(verdict.measurements, "window_rows", SECOND) == 0
    drift = one(verdict.measurements, "feature_drift", SECOND, feature="carrier", method="psi")
    assert (drift.value, drift.reason) == (None, NotEnough.NO_ROWS)
    assert verdict.errors == {}


def test_late_events_revise_all_of_their_window(referenced: Log) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    judge(referenced)
    referenced.predict(*hour(0, 5, name="late"))
    referenced.predict(*hour(2, 1))
    (verdict,) = judge(referenced)
    assert value(verdict.revisions, "window_rows", FIRST) == 15
    assert value(verdict.revisions, "missing_ratio", FIRST, feature="distance") == 0
    assert {window for _, window in names(verdict.revisions)} == {FIRST}


def test_events_before_the_first_window_revise_nothing(referenced: Log) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    judge(referenced)
    referenced.predict(*hour(-5, 5))
    referenced.predict(*hour(2, 1))
    assert judge(referenced)[0].revisions == []


def test_labels_revise_performance_alone_and_provisionally(referenced: Log) -> None:
    first = hour(0, 10)
    referenced.predict(*first)
    referenced.predict(*hour(1, 1))
    judge(referenced)
    referenced.label(*answers(first[:4]))
    referenced.predict(*hour(2, 1))
    (verdict,) = judge(referenced)
    assert {name for name, _ in names(verdict.revisions)} <= {
        "performance",
        "performance_reference",
        "label_coverage_ratio",
    }
    accuracy = one(verdict.revisions, "performance", FIRST, metric="accuracy")
    assert (accuracy.value, accuracy.n, accuracy.provisional) == (1.0, 4, True)
    assert value(verdict.revisions, "label_coverage_ratio", FIRST) == 0.4
    assert verdict.matured == []


def test_coverage_makes_a_window_mature_even_as_it_closes(referenced: Log) -> None:
    first = hour(0, 10)
    referenced.predict(*first)
    referenced.label(*answers(first[:8]))
    referenced.predict(*hour(1, 1))
    (verdict,) = judge(referenced)
    ((window, rows),) = verdict.matured
    assert window == FIRST
    for measured in (rows, verdict.measurements):
        accuracy = one(measured, "performance", FIRST, metric="accuracy")
        assert (accuracy.value, accuracy.n, accuracy.provisional) == (1.0, 8, False)
    assert judge(referenced) == []


def test_windows_mature_in_order_and_none_is_skipped(referenced: Log) -> None:
    first, second = hour(0, 10), hour(1, 10)
    referenced.predict(*first)
    referenced.predict(*second)
    referenced.label(*answers(second))
    referenced.predict(*hour(2, 1))
    assert [verdict.matured for verdict in judge(referenced)] == [[], []]
    referenced.label(*answers(first))
    referenced.predict(*hour(3, 1))
    (verdict,) = judge(referenced)
    assert [window for window, _ in verdict.matured] == [FIRST, SECOND]
    assert value(verdict.matured[0][1], "performance", FIRST, metric="accuracy") == 1.0
    # A label of a mature window still revises it, and what it revises is no longer provisional.
    referenced.label(Truth(first[0].id, "yes", START))
    referenced.predict(*hour(4, 1))
    (verdict,) = judge(referenced)
    accuracy = one(verdict.revisions, "performance", FIRST, metric="accuracy")
    assert (accuracy.value, accuracy.provisional) == (0.9, False)


def test_a_window_that_lacks_labels_waits_no_longer_than_for_three_that_have_theirs(referenced: Log) -> None:
    referenced.options = replace(referenced.options, maturity=1000 * HOUR)
    referenced.predict(*hour(0, 10))
    matured = []
    for start in range(1, 6):
        referenced.predict(*hour(start, 10))
        if start > 1:
            referenced.label(*answers(hour(start - 1, 10)))
        referenced.predict(*hour(start + 1, 1, "q"))
        matured += [[window for window, _ in verdict.matured] for verdict in judge(referenced)]
    assert matured[:4] == [[], [], [], []]
    assert matured[4][:3] == [FIRST, SECOND, THIRD]


def test_age_makes_a_window_mature_without_labels(referenced: Log) -> None:
    for start in range(5):
        referenced.predict(*hour(start, 3))
    done = judge(referenced)
    assert [[window for window, _ in verdict.matured] for verdict in done] == [[], [], [], [FIRST]]
    accuracy = one(done[3].matured[0][1], "performance", FIRST, metric="accuracy")
    assert (accuracy.value, accuracy.reason, accuracy.provisional) == (None, NotEnough.NO_LABELS, False)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([Truth(f"other-{number}", 1, START + number) for number in range(3)], NotEnough.UNMATCHED_LABELS),
        ([Truth(f"other-{number}", 1, START + 90_000.0) for number in range(3)], NotEnough.NO_LABELS),
        ([Truth(row.id, 17, row.time) for row in hour(0, 3)], NotEnough.INVALID_LABELS),
    ],
)
def test_labels_that_came_in_vain_are_the_reason(referenced: Log, labels: list[Truth], reason: NotEnough) -> None:
    referenced.predict(*hour(0, 3))
    referenced.label(*labels)
    referenced.predict(*hour(1, 1))
    (verdict,) = judge(referenced)
    accuracy = one(verdict.measurements, "performance", FIRST, metric="accuracy")
    assert (accuracy.value, accuracy.reason) == (None, reason)


def test_empty_windows_hold_nobody_up(referenced: Log) -> None:
    first = hour(0, 10)
    referenced.predict(*first)
    referenced.label(*answers(first))
    referenced.predict(*hour(2, 1))
    assert [[window for window, _ in verdict.matured] for verdict in judge(referenced)] == [[FIRST], [SECOND]]


def test_the_last_label_of_an_id_counts_as_of_each_closing(referenced: Log) -> None:
    first = hour(0, 10)
    referenced.predict(*first)
    referenced.label(*answers(first, right=False))
    referenced.predict(*hour(1, 1))
    referenced.label(*answers(first[:5]))
    referenced.predict(*hour(2, 1))
    found = closings(referenced)
    one_, two = measure_many(referenced.url, referenced.model, found, referenced.options)
    assert value(one_.measurements, "performance", FIRST, metric="accuracy") == 0.0
    assert value(two.revisions, "performance", FIRST, metric="accuracy") == 0.5


def test_a_label_of_another_type_is_counted_and_not_measured_with(referenced: Log) -> None:
    first = hour(0, 10)
    referenced.predict(*first)
    referenced.label(*answers(first[:4]), Truth(first[5].id, 17, START), Truth(first[6].id, True, START))
    referenced.predict(*hour(1, 1))
    referenced.scan()
    done = compact(referenced.url, referenced.model, 3, referenced.options)
    assert (done.labels_placed, done.labels_invalid) == (6, 2)
    (closing,) = referenced.closings()
    verdict = measure(referenced.url, referenced.model, closing, referenced.options)
    assert one(verdict.measurements, "performance", FIRST, metric="accuracy").n == 4
    assert value(verdict.measurements, "label_coverage_ratio", FIRST) == 0.4


@pytest.mark.parametrize("task", [None, "regression"])
def test_one_odd_label_does_not_change_the_task_of_a_window_without_a_reference(
    log: Log, task: Literal["regression"] | None
) -> None:
    log.options = replace(log.options, schema=SchemaOverrides(task=task))
    first = [Prediction(f"r{number}", START + number, prediction=number + 0.5) for number in range(30)]
    log.predict(*first)
    log.label(*(Truth(row.id, row.prediction + 1, row.time) for row in first[:-1]), Truth("r29", "oops", START))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log)
    measured = one(verdict.measurements, "performance", FIRST, metric="mae")
    assert (measured.value, measured.n) == (1.0, 29)
    assert value(verdict.measurements, "label_coverage_ratio", FIRST) == pytest.approx(29 / 30)


def test_a_task_that_the_config_states_decides_where_there_is_no_reference(log: Log) -> None:
    log.options = replace(log.options, schema=SchemaOverrides(task="multiclass"))
    first = [Prediction(f"r{number}", START + number, prediction=number) for number in range(30)]
    log.predict(*first)
    log.label(*(Truth(row.id, row.prediction, row.time) for row in first))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log)
    assert value(verdict.measurements, "performance", FIRST, metric="accuracy") == 1.0


def test_without_a_reference_the_volume_is_measured_and_the_rest_says_why(log: Log) -> None:
    log.predict(*hour(0, 10))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log)
    assert verdict.errors == {}
    assert value(verdict.measurements, "window_rows", FIRST) == 10
    assert one(verdict.measurements, "drifted_features", FIRST).reason == NotEnough.NO_REFERENCE


def test_chunks_from_before_the_reference_are_profiled_when_it_is_there(log: Log, tmp_path: Path) -> None:
    log.predict(*hour(0, 10, features={"distance": 2.0, "carrier": "UA"}))
    log.scan()
    compact(log.url, log.model, 1 << 40, log.options)
    built = write_reference(log, tmp_path)
    log.predict(*hour(0, 10, name="q", features={"distance": None, "carrier": 3}))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log)
    assert value(verdict.measurements, "missing_ratio", FIRST, feature="distance") == 0.5
    assert value(verdict.measurements, "new_category_ratio", FIRST, feature="carrier") == 0.5
    stored = log.rows(select(profiles.c.binning_id, profiles.c.n).where(profiles.c.bucket_start == FIRST.start))
    assert [tuple(row) for row in stored] == [(built.id, 10), (built.id, 10)]


def test_measuring_reads_profiles_and_no_rows(referenced: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    found = closings(referenced)

    def refuse(*_args: Any) -> None:
        raise AssertionError("rows were read")

    monkeypatch.setattr("monitor.worker.stored.window_reader.decode", refuse)
    monkeypatch.setattr("monitor.worker.stored.profiles.decode", refuse)
    (verdict,) = measure_many(referenced.url, referenced.model, found, referenced.options)
    assert value(verdict.measurements, "window_rows", FIRST) == 10
    assert verdict.errors == {}


def test_many_closings_in_one_call_are_as_one_by_one(referenced: Log) -> None:
    for start in range(6):
        rows = hour(start, 6)
        referenced.predict(*rows)
        referenced.label(*answers(rows[: 6 - start]))
    together = measure_many(referenced.url, referenced.model, closings(referenced), referenced.options)
    apart = judge(referenced)
    assert [replace(verdict, seconds={}) for verdict in together] == [replace(verdict, seconds={}) for verdict in apart]
    assert sum(len(verdict.matured) for verdict in apart) == 2


def test_a_log_that_is_not_compacted_is_refused(referenced: Log) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    referenced.scan()
    (closing,) = referenced.closings()
    with pytest.raises(closing_module.NotCompacted, match="compact them first"):
        measure(referenced.url, referenced.model, closing, referenced.options)
    assert measure_many(referenced.url, referenced.model, [], referenced.options) == []


def test_a_check_that_fails_is_named_and_the_others_are_measured(
    referenced: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    found = closings(referenced)

    def fail(*_args: Any) -> list[Measurement]:
        raise ValueError("no such luck")

    monkeypatch.setitem(CHECKS, "drift.feature", Check(fail, ("feature_drift", "drifted_features")))  # type: ignore[index]
    (verdict,) = measure_many(referenced.url, referenced.model, found, referenced.options)
    assert set(verdict.errors) == {"drift"}
    assert "no such luck" in verdict.errors["drift"]
    assert set(verdict.failed) == {"feature_drift", "drifted_features"}
    assert "drift" in verdict.seconds
    assert value(verdict.measurements, "missing_ratio", FIRST, feature="distance") == 0


def test_checks_that_the_config_leaves_out_are_not_run(referenced: Log) -> None:
    referenced.predict(*hour(0, 10))
    referenced.predict(*hour(1, 1))
    none = replace(referenced.options.checks, drift=False, quality=False, performance=False)
    options = replace(referenced.options, checks=none)
    (verdict,) = measure_many(referenced.url, referenced.model, closings(referenced), options)
    assert {name for name, _ in names(verdict.measurements)} == {"window_rows", "window_end_timestamp_seconds"}


def test_a_verdict_crosses_to_the_daemon_without_numerics(referenced: Log) -> None:
    first = hour(0, 10)
    referenced.predict(*first)
    referenced.label(*answers(first))
    referenced.predict(*hour(1, 1))
    (verdict,) = judge(referenced)
    crossing = bytes(ForkingPickler.dumps(verdict))
    assert b"checks.base" in crossing
    assert b"numpy" not in crossing
    assert b"pyarrow" not in crossing


def test_maturity_looks_only_at_windows_that_are_not_mature(referenced: Log) -> None:
    for start in range(4):
        referenced.predict(*hour(start, 3))
    judge(referenced)
    referenced.write(update(windows).values(mature_at=START))
    referenced.predict(*hour(8, 1))
    matured = [window.start for verdict in judge(referenced) for window, _ in verdict.matured]
    assert matured[0] == START + 3 * HOUR
    assert referenced.rows(select(progress.c.judged_window))[0][0] == START + 8 * HOUR
