"""What is normal for segments where the reference is out of the stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from checks.base import Measurement, NotEnough
from checks.inputs import CheckOptions
from monitor.store.references.plan import ReferencePlan
from monitor.store.tables import segmentations
from monitor.worker.messages import ModelOptions, SegmentOptions, WindowResult
from monitor.worker.references import segments
from monitor.worker.references.commands import Decision, accept, build, use
from tests.monitor.worker.log import HOUR
from tests.monitor.worker.stream import Stream, hour

SEGMENTS = (
    SegmentOptions("carrier", top=2, min_rows=20, checks=("volume", "drift", "feature_drift")),
    SegmentOptions("country", "tag", top=2, min_rows=20, checks=("volume", "drift", "feature_drift")),
)
OPTIONS = ModelOptions(
    "delays", every=HOUR, allowed_lateness=0.0, checks=CheckOptions(min_rows=60, methods=("psi",)), segments=SEGMENTS
)
LEARN = replace(OPTIONS, plan=ReferencePlan("first", first=9 * HOUR))
ANN = Decision("ann", 1_800_000_000.0)
DE, OTHER = "country=DE", "country=(other)"


def silent(_share: float) -> None:
    pass


def of(verdict: WindowResult, segment: str, name: str = "feature_drift") -> Measurement:
    """Of distance, where it is of a feature."""
    own = {("segment", segment)} | ({("feature", "distance")} if name == "feature_drift" else set())
    (row,) = [row for row in verdict.measurements if row.name == name and own <= set(row.labels)]
    return row


def is_over(row: Measurement) -> bool:
    assert row.value is not None and row.limit_high is not None, row
    return row.value > max(row.limit_high, 0.1)


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    """Ten judged hours, of which nine are learned from; a third of the rows each from DE, FR and AT."""
    stream = Stream(tmp_path, LEARN)
    stream.send(*(hour(number, countries="DE FR AT") for number in range(11)))
    return stream


def test_segments_learn_with_the_whole(stream: Stream) -> None:
    rows = stream.log.rows(select(segmentations.c.reference_id, segmentations.c.column, segmentations.c.seq))
    assert [tuple(row) for row in rows] == [(1, "f:carrier", 0), (1, "t:country", 0)]
    # What moves in one of them is seen in that one.
    moved = [
        replace(row, features={**row.features, "distance": 9.0}) if (row.tags or {})["country"] == "FR" else row
        for row in hour(11, countries="DE FR AT")
    ]
    verdict = stream.send(moved, hour(12, countries="DE FR AT"))[-1][1]
    over = {name: is_over(of(verdict, name)) for name in (DE, "country=AT", OTHER)}
    assert over == {DE: False, "country=AT": False, OTHER: True}
    assert not is_over(of(stream.send(hour(13, countries="DE FR AT"))[-1][1], OTHER))


def test_segments_are_accepted_with_the_whole_and_taken_back(stream: Stream) -> None:
    shifted = [hour(number, shift=3.0, countries="DE FR AT") for number in range(11, 17)]
    assert is_over(of(stream.send(*shifted)[-1][1], DE))
    made = accept(stream.log.engine, LEARN, "5h", ANN, silent)
    assert not any("too few rows" in note for note in made.notes), made.notes
    verdict = stream.send(hour(17, shift=3.0, countries="DE FR AT"), hour(18, shift=3.0, countries="DE FR AT"))[-1][1]
    assert verdict.reference == 2
    for name in (DE, "country=AT", OTHER, "carrier=(other)"):
        row = of(verdict, name)
        assert row.limit_high is not None and not is_over(row), name
    use(stream.log.engine, "delays", 1, ANN)
    assert is_over(of(stream.send(hour(19, shift=3.0, countries="DE FR AT"))[-1][1], DE))


def test_a_segment_of_which_too_little_is_accepted_says_so(stream: Stream) -> None:
    made = accept(stream.log.engine, LEARN, "1h", ANN, silent)
    (note,) = [note for note in made.notes if "too few rows" in note]
    assert DE in note and "accept a longer time" in note
    verdict = stream.send(hour(11, countries="DE FR AT"), hour(12, countries="DE FR AT"))[-1][1]
    assert of(verdict, DE, "drifted_features").reason is NotEnough.NO_REFERENCE


def test_segments_of_a_reference_built_from_events(stream: Stream) -> None:
    made = build(stream.log.engine, LEARN, "events:6h", ANN, silent)
    verdict = stream.send(hour(11, countries="DE FR AT"), hour(12, countries="DE FR AT"))[-1][1]
    assert verdict.reference == made.id
    assert not is_over(of(verdict, DE))


def test_a_tag_that_comes_later_is_learned_from_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FREEZE_ROWS", 100)
    stream = Stream(tmp_path, LEARN)
    stream.send(*(hour(number) for number in range(10)))
    verdict = stream.send(*(hour(number, countries="DE FR") for number in range(10, 13)))[-1][1]
    assert of(verdict, DE, "window_rows").value == 150
    assert of(verdict, DE, "drifted_features").reason is NotEnough.NO_REFERENCE
