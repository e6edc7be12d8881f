"""Segments on a real log: late rows and labels, a config that changes while chunks are there, and roll-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from checks.base import Measurement, NotEnough, Window
from checks.inputs import CheckOptions
from monitor.store.tables import chunks, profiles, rollups, segmentations, windows
from monitor.worker.messages import ModelOptions, SegmentOptions, WindowClose, WindowResult
from monitor.worker.references import segments
from monitor.worker.tasks import compact, measure
from monitor.worker.upkeep.rollup import roll
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth
from tests.monitor.worker.sample import write_reference

FIRST, SECOND = (Window(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(2))
CARRIER = SegmentOptions("carrier", top=1, min_rows=2)
COUNTRY = SegmentOptions("country", "tag", top=2, min_rows=2)
EVERYTHING = 1 << 40


@pytest.fixture
def options() -> ModelOptions:
    return ModelOptions(
        "delays",
        allowed_lateness=0.0,
        checks=CheckOptions(min_rows=2),
        maturity=3 * HOUR,
        coverage=0.8,
        segments=(CARRIER, COUNTRY),
    )


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FREEZE_ROWS", 10)


def hour(start: float, count: int, name: str = "p", carriers: str = "UA AA DL") -> list[Prediction]:
    """Predictions spread over the hour, carriers in turn, every other one from DE, the rest from FR, AT and nowhere."""
    countries = [{"country": "DE"}, {"country": "FR"}, {"country": "DE"}, None, {"country": "DE"}, {"country": "AT"}]
    flown = carriers.split()
    return [
        Prediction(
            f"{name}{start:g}.{place}",
            START + (start + place / count) * HOUR,
            {"distance": 2.0, "carrier": flown[place % len(flown)]},
            prediction="yes" if place % 2 else "no",
            score=0.8 if place % 2 else 0.2,
            tags=countries[place % 6],
        )
        for place in range(count)
    ]


def judge(log: Log, options: ModelOptions | None = None) -> list[WindowResult]:
    """Verdicts on all closings to come, recorded as the daemon does, and rolled up after each."""
    options = options or log.options
    log.scan()
    done = []
    for closing in log.closings():
        compact(log.url, log.model, closing.close_seq, options)
        done.append(measure(log.url, log.model, closing, options))
        log.record(closing, [window for window, _ in done[-1].matured])
        roll(log.engine, log.model, options)
    return done


def rows_by_segment(rows: Sequence[Measurement], window: Window) -> dict[str, float | None]:
    return {
        dict(row.labels).get("segment", ""): row.value
        for row in rows
        if row.name == "window_rows" and row.window == window
    }


def one(rows: Sequence[Measurement], name: str, segment: str, **pairs: str) -> Measurement:
    wanted = {("segment", segment), *pairs.items()}
    (found,) = [row for row in rows if row.name == name and wanted <= set(row.labels)]
    return found


def test_every_row_is_in_one_segment_of_each_dimension(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    log.predict(*hour(0, 12))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log)
    assert verdict.errors == {}
    found = rows_by_segment(verdict.measurements, FIRST)
    top = next(name for name in found if name.startswith("carrier=") and name != "carrier=(other)")
    assert found == {
        "": 12,
        top: 4,
        "carrier=(other)": 8,
        "country=DE": 6,
        "country=(missing)": 2,
        "country=(other)": 4,
    }
    assert one(verdict.measurements, "drifted_features", "country=DE").reason is NotEnough.NO_REFERENCE


def test_a_tag_s_values_are_frozen_once_enough_rows_have_come(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    log.predict(*hour(0, 6))
    log.predict(*hour(1, 12))
    log.predict(*hour(2, 12))
    log.predict(*[replace(row, tags={"country": "CH"}) for row in hour(3, 40)])
    log.predict(*hour(4, 1))
    verdicts = judge(log)
    tags = [{name for name in _named(verdict) if name.startswith("country=")} for verdict in verdicts]
    assert tags[0] == set()
    assert tags[1] == tags[2] == tags[3] == {"country=DE", "country=(missing)", "country=(other)"}
    seqs = dict(log.rows(select(segmentations.c.column, segmentations.c.seq)))
    assert (seqs["f:carrier"], seqs["t:country"]) == (0, 3)


def _named(verdict: WindowResult) -> set[str]:
    return {dict(row.labels).get("segment", "") for row in verdict.measurements}


def test_late_rows_and_late_labels_revise_the_segments_that_they_touch(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    first = hour(0, 12)
    log.predict(*first)
    log.predict(*hour(1, 12))
    log.predict(*hour(2, 1))
    judge(log)
    log.predict(*hour(0, 6, "late"))
    log.label(*[Truth(row.id, row.prediction, row.time) for row in first])
    log.predict(*hour(3, 1))
    (verdict,) = judge(log)
    revised = rows_by_segment(verdict.revisions, FIRST)
    assert (revised[""], revised["country=DE"], revised["country=(missing)"]) == (18, 9, 3)
    accuracy = one(verdict.revisions, "performance", "country=DE", metric="accuracy")
    assert (accuracy.value, accuracy.n, accuracy.provisional) == (1.0, 6, True)
    assert one(verdict.revisions, "label_coverage_ratio", "country=DE").value == pytest.approx(6 / 9)


def test_segments_that_the_config_names_later_hold_all_rows_of_a_window_nevertheless(log: Log, tmp_path: Path) -> None:
    """The first rows of the second window are stored before it names them, the others after; both are rolled up."""
    write_reference(log, tmp_path)
    before = replace(log.options, segments=())
    log.predict(*hour(0, 12))
    log.predict(*hour(1, 6))
    assert all(len(_named(verdict)) == 1 for verdict in judge(log, before))
    compact(log.url, log.model, EVERYTHING, before)
    log.predict(*hour(1, 6, "q"))
    log.predict(*hour(2, 1))
    (verdict,) = judge(log)
    found = rows_by_segment(verdict.measurements, SECOND)
    assert found["country=DE"] == 6
    assert sum(value or 0 for name, value in found.items() if name.startswith("carrier=")) == found[""] == 12
    log.predict(*hour(1, 6, "late"))
    log.predict(*hour(3, 1))
    (verdict,) = judge(log)
    found = rows_by_segment(verdict.revisions, SECOND)
    assert (found[""], found["country=DE"], found["country=(missing)"]) == (18, 9, 3)


def test_what_is_rolled_up_answers_as_the_chunks_did(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    for place in range(3):
        log.predict(*hour(place / 3, 6, f"p{place}"))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log)
    assert log.rows(select(rollups.c.n).where(rollups.c.segment != ""))
    assert not log.rows(select(profiles.c.n).where(profiles.c.bucket_start == FIRST.start))
    assert len(log.rows(select(chunks.c.id))) >= 1
    (row,) = log.rows(select(windows))
    again = measure(log.url, log.model, WindowClose(FIRST, row.close_seq, 0), log.options)
    assert again.measurements == verdict.measurements


def test_a_window_without_rows_of_a_segment_says_so(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    log.predict(*hour(0, 12))
    log.predict(*[replace(row, tags={"country": "DE"}) for row in hour(1, 12)])
    log.predict(*hour(2, 1))
    _, verdict = judge(log)
    assert one(verdict.measurements, "window_rows", "country=(missing)").value == 0
    assert one(verdict.measurements, "label_coverage_ratio", "country=(missing)").reason is NotEnough.NO_ROWS


def test_the_bound_is_kept_and_what_it_costs_is_measured(log: Log, tmp_path: Path) -> None:
    write_reference(log, tmp_path)
    log.predict(*hour(0, 12))
    log.predict(*hour(1, 1))
    (verdict,) = judge(log, replace(log.options, segment_measurements=5))
    parts = [row for row in verdict.measurements if "segment" in dict(row.labels)]
    assert len(parts) == 5
    assert {row.name for row in parts} == {"window_rows"}
    (cut,) = [row for row in verdict.measurements if row.name == "segment_measurements_cut"]
    assert cut.value is not None
    assert cut.value > 5 * 13
