"""Drift over longer spans, through the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from checks.base import Measurement, NotEnough, Window
from checks.inputs import CheckOptions
from monitor.store.tables import chunks, profiles, rollups
from monitor.worker.messages import ModelOptions, WindowResult
from monitor.worker.tasks import compact, keep_profiles, measure_many
from tests.monitor.worker.log import HOUR, START, Log, Prediction
from tests.monitor.worker.sample import write_reference

DAY = 86400.0
HOURS = 30


@pytest.fixture
def options() -> ModelOptions:
    return ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=2), lookback=(6 * HOUR, DAY))


def fill(log: Log, first: int, last: int) -> None:
    """Four rows an hour, with distances that grow."""
    for hour in range(first, last):
        rows = [Prediction(f"{hour}.{row}", START + hour * HOUR + row, {"distance": hour / 10}) for row in range(4)]
        log.predict(*rows)


def judge(log: Log) -> list[WindowResult]:
    log.scan()
    closings = log.closings()
    compact(log.url, log.model, closings[-1].close_seq, log.options)
    done = measure_many(log.url, log.model, closings, log.options)
    for closing, verdict in zip(closings, done, strict=True):
        log.record(closing, [window for window, _ in verdict.matured])
    return done


def over(verdict: WindowResult, span: str) -> list[Measurement]:
    return [row for row in verdict.measurements if ("over", span) in row.labels]


def drift(verdict: WindowResult, span: str) -> Measurement:
    [row] = [
        row for row in over(verdict, span) if row.name == "feature_drift" and ("feature", "distance") in row.labels
    ]
    return row


def numbers(done: Sequence[WindowResult]) -> list[list[Measurement]]:
    return [over(verdict, "6h") + over(verdict, "1d") for verdict in done]


def test_each_closing_looks_back_once_the_stream_is_long_enough(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    fill(log, 0, HOURS)
    done = judge(log)
    assert len(done) == HOURS - 1
    assert [[row.reason for row in over(verdict, "6h")] for verdict in done[:5]] == [[NotEnough.SHORT_HISTORY]] * 5
    row = drift(done[5], "6h")
    assert (row.window, row.n) == (Window(START, START + 6 * HOUR), 24)
    assert drift(done[28], "1d").n == 96
    assert over(done[22], "1d")[0].reason is NotEnough.SHORT_HISTORY
    assert {dict(row.labels).get("method", "psi") for row in over(done[28], "1d")} == {"psi"}


def test_it_is_the_same_whether_rolled_up_or_not(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    other = Log(tmp_path / "other.db", log.options)
    write_reference(other, tmp_path)
    found = []
    for one, rolled in ((log, False), (other, True)):
        done: list[WindowResult] = []
        for first in range(0, HOURS, 5):
            fill(one, first, first + 5)
            # A late row in each round; it is in the next look back.
            one.predict(Prediction(f"late{first}", START + max(first - 3, 0) * HOUR, {"distance": 5.0}))
            done += judge(one)
            if rolled:
                keep_profiles(one.url, one.model, 1.0, one.options)
        found.append(numbers(done))
    assert found[0] == found[1]
    assert other.rows(rollups.select())
    assert not log.rows(rollups.select())


def test_rows_that_wait_to_be_profiled_are_waited_for_by_nobody(log: Log, tmp_path: Path) -> None:
    fill(log, 0, 10)
    judge(log)
    write_reference(log, tmp_path)
    fill(log, 10, 11)
    [verdict] = judge(log)
    assert [row.reason for row in over(verdict, "6h")] == [NotEnough.NOT_PROFILED]
    assert len(log.rows(profiles.select())) == 2, "the window's own chunk, and the one that has just come"
    keep_profiles(log.url, log.model, 60.0, log.options)
    fill(log, 11, 12)
    [verdict] = judge(log)
    assert drift(verdict, "6h").n == 24


def test_it_needs_no_rows(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    fill(log, 0, 12)
    judge(log)
    keep_profiles(log.url, log.model, 1.0, log.options)
    log.write(delete(chunks).where(chunks.c.bucket_start < START + 10 * HOUR))
    fill(log, 12, 13)
    [verdict] = judge(log)
    assert drift(verdict, "6h").n == 24


def test_a_late_row_is_in_the_next_look_back_and_revises_none(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    fill(log, 0, 8)
    judge(log)
    log.predict(Prediction("late", START + 3 * HOUR, {"distance": 1.0}))
    fill(log, 8, 9)
    [verdict] = judge(log)
    assert drift(verdict, "6h").n == 25
    assert {row.window for row in verdict.revisions} == {Window(START + 3 * HOUR, START + 4 * HOUR)}


def test_without_drift_or_a_reference_nobody_looks_back(log: Log, tmp_path: Path) -> None:
    fill(log, 0, 8)
    assert not any(numbers(judge(log)))
    write_reference(log, tmp_path)
    log.options = replace(log.options, checks=replace(log.options.checks, drift=False))
    fill(log, 8, 9)
    assert not any(numbers(judge(log)))
