"""Any window, as of any position that may still be asked for, is the profile of its rows: however they came, and
whatever has been compacted, rolled up and removed by then."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from checks.base import Window
from checks.data.frame_payload import from_payload
from checks.inputs import CheckOptions
from checks.profile import CategoryColumn, Profile, profile
from monitor.store.buckets import DAY, grain
from monitor.store.tables import chunks, profiles, progress, rollups
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.profiles import Profiles
from monitor.worker.stored.references import StoredReference, newest
from monitor.worker.stored.window_reader import WindowReader
from monitor.worker.tasks import compact
from monitor.worker.upkeep import rollup
from monitor.worker.upkeep.rollup import roll
from tests.monitor.worker.log import HOUR, START, Log, Prediction
from tests.monitor.worker.sample import write_reference

EVERYTHING = 1 << 40
MIDNIGHT = START // DAY * DAY
LENGTHS = [900.0, HOUR, 6 * HOUR, float(DAY)]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Path]:
    """A database with a reference and no arrivals, by the length of windows."""
    made = {}
    for every in LENGTHS:
        folder = tmp_path_factory.mktemp("rolling")
        log = Log(
            folder / "template.db",
            ModelOptions("delays", every=every, allowed_lateness=0.0, checks=CheckOptions(min_rows=1)),
        )
        write_reference(log, folder)
        log.engine.dispose()
        made[every] = folder / "template.db"
    return made


def reference(log: Log) -> StoredReference:
    with log.engine.connect() as connection:
        found = newest(connection, log.model)
    assert found is not None
    return found


def expected(log: Log, sent: Sequence[tuple[int, Prediction]], window: Window, seq: int) -> Profile:
    """Of the rows themselves."""
    rows = [row for at, row in sent if at <= seq and window.contains(row.time)]
    stored = reference(log).reference
    payload: dict[str, Any] = {
        "id": [row.id for row in rows],
        "time": [row.time for row in rows],
        "features": {name: [row.features[name] for row in rows] for name in ("distance", "carrier")},
        "prediction": [row.prediction for row in rows],
        "probabilities": [row.score for row in rows],
        "latency": None,
        "version": None,
        "tags": None,
    }
    return profile(from_payload(payload, stored.schema), stored.binning)


def agree(found: Profile, wanted: Profile) -> None:
    assert found.n == wanted.n
    for name, column in wanted.columns.items():
        other = found.columns[name]
        assert other.counts.tolist() == column.counts.tolist(), name
        assert (other.missing, other.mismatched) == (column.missing, column.mismatched)
        if isinstance(column, CategoryColumn):
            assert isinstance(other, CategoryColumn)
            assert (other.examples, other.distinct) == (column.examples, column.distinct)
        else:
            assert not isinstance(other, CategoryColumn)
            assert (other.low, other.high, other.zeros) == (column.low, column.high, column.zeros)
            moments = [[each.mean, each.m2, *each.sums] for each in (other, column)]
            assert np.allclose(*moments, rtol=1e-9, atol=1e-9)


@st.composite
def batches(draw: st.DrawFn) -> list[list[tuple[float, float | None, str | None]]]:
    """Batches of (time in days, distance, carrier), mostly later than those before, some of them days late."""
    found = []
    for place in range(draw(st.integers(2, 12))):
        now = place / 4
        rows = st.tuples(
            st.floats(0, 0.25).map(lambda part, now=now: now + part)
            | st.floats(0, 1).map(lambda part, now=now: now * part),
            st.none() | st.floats(-5, 9),
            st.none() | st.sampled_from(["UA", "AA", "new"]),
        )
        found.append(draw(st.lists(rows, min_size=1, max_size=6)))
    return found


def send(log: Log, batch: Sequence[tuple[float, float | None, str | None]], sent: list[tuple[int, Prediction]]) -> None:
    rows = [
        Prediction(f"p{len(sent) + place}", MIDNIGHT + day * DAY, {"distance": distance, "carrier": carrier})
        for place, (day, distance, carrier) in enumerate(batch)
    ]
    seq = log.predict(*rows)
    sent.extend((seq, row) for row in rows)


def judge(log: Log) -> int:
    """Compacts and records what has closed; the position of the last one that is judged."""
    log.scan()
    closings = log.closings()
    if closings:
        compact(log.url, log.model, closings[-1].close_seq, log.options)
        log.record(closings[-1], [])
    judged = log.rows(select(progress.c.judged_window))[0][0]
    return max([closing.close_seq for closing in closings], default=0) if judged else 0


@settings(max_examples=25, phases=(Phase.generate,))
@given(data=st.data(), every=st.sampled_from(LENGTHS), arriving=batches())
def test_any_window_as_of_any_position_is_that_of_its_rows(
    templates: dict[float, Path], data: st.DataObject, every: float, arriving: list[Any]
) -> None:
    with TemporaryDirectory() as folder:
        shutil.copy(templates[every], Path(folder) / "log.db")
        options = ModelOptions("delays", every=every, allowed_lateness=0.0, checks=CheckOptions(min_rows=1))
        log = Log(Path(folder) / "log.db", options, fresh=False)
        sent: list[tuple[int, Prediction]] = []
        judged = 0
        for batch in arriving:
            send(log, batch, sent)
            if data.draw(st.booleans(), "tick"):
                judged = max(judged, judge(log))
                if data.draw(st.booleans(), "the log's tail is compacted, too"):
                    compact(log.url, log.model, EVERYTHING, options)
                if data.draw(st.booleans(), "roll"):
                    roll(log.engine, log.model, options)
        log.scan()
        compact(log.url, log.model, EVERYTHING, options)
        # Only what a closing may be measured as of is asked for: chunks are cut there and nowhere else.
        positions = sorted({judged, sent[-1][0], *(closing.close_seq for closing in log.closings())} - {0})
        store = Profiles(log.engine, log.model, every, reference(log))
        each = grain(every)
        for _ in range(4):
            begin = data.draw(st.integers(0, int(3 * DAY / each)), "begin")
            length = data.draw(st.integers(1, int(3 * DAY / each)), "buckets")
            window = Window(MIDNIGHT + begin * each, MIDNIGHT + (begin + length) * each)
            seq = data.draw(st.sampled_from(positions), "position")
            found = store.of(window, seq)
            assert not found.missing
            agree(store.read(found), expected(log, sent, window, seq))
        log.engine.dispose()


def days(log: Log, count: int, name: str = "p", each: float = HOUR) -> list[tuple[int, Prediction]]:
    """So many days of two rows an hour, a batch an hour."""
    sent: list[tuple[int, Prediction]] = []
    for place in range(int(count * DAY / each)):
        values = [
            Prediction(
                f"{name}{place}.{part}", MIDNIGHT + place * each + part, {"distance": 1.0 + part, "carrier": "UA"}
            )
            for part in (0, 1)
        ]
        seq = log.predict(*values)
        sent.extend((seq, value) for value in values)
    return sent


@pytest.fixture
def options() -> ModelOptions:
    return ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=1))


@pytest.fixture
def referenced(log: Log, tmp_path: Path) -> Log:
    write_reference(log, tmp_path)
    return log


def held(log: Log) -> dict[int, int]:
    """How many roll-ups there are, by length."""
    rows = log.rows(select(rollups.c.seconds, func.count()).group_by(rollups.c.seconds))
    return {row[0]: row[1] for row in rows}


def count(log: Log) -> int:
    total: int = log.rows(select(func.count()).select_from(profiles))[0][0]
    return total


def test_hours_and_days_take_the_place_of_the_chunks_profiles(referenced: Log) -> None:
    sent = days(referenced, 2)
    seq = judge(referenced)
    assert count(referenced) == 48
    assert roll(referenced.engine, referenced.model, referenced.options) == 48
    assert held(referenced) == {3600: 47, DAY: 1}
    assert count(referenced) == 1, "the last hour has not closed"
    store = Profiles(referenced.engine, referenced.model, HOUR, reference(referenced))
    window = Window(MIDNIGHT + 2 * HOUR, MIDNIGHT + 47 * HOUR)
    agree(store.read(store.of(window, seq)), expected(referenced, sent, window, seq))
    assert roll(referenced.engine, referenced.model, referenced.options) == 0, "there is nothing to do"


def test_a_late_row_changes_its_own_buckets_alone(referenced: Log) -> None:
    sent = days(referenced, 2)
    judge(referenced)
    roll(referenced.engine, referenced.model, referenced.options)
    before = {row.start: row.seq for row in referenced.rows(select(rollups).where(rollups.c.seconds == 3600))}
    send(referenced, [(3 / 24, 7.0, "AA")], sent)
    send(referenced, [(2.5, 7.0, "AA")], sent)
    seq = judge(referenced)
    roll(referenced.engine, referenced.model, referenced.options)
    after = {row.start: row.seq for row in referenced.rows(select(rollups).where(rollups.c.seconds == 3600))}
    changed = [start for start, at in before.items() if after[start] != at]
    assert changed == [MIDNIGHT + 3 * HOUR]
    assert held(referenced)[DAY] == 2
    for window in (Window(MIDNIGHT, MIDNIGHT + DAY), Window(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR)):
        evidence = WindowReader(referenced.engine, referenced.model, reference(referenced), seq, referenced.options)
        found = evidence.profile(window)
        assert found is not None
        agree(found, expected(referenced, sent, window, seq))


@pytest.mark.parametrize("allowed", range(0, 12, 2))
def test_a_run_that_is_cut_short_between_any_two_transactions_is_made_good_by_the_next(
    referenced: Log, allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = days(referenced, 2, each=6 * HOUR)
    send(referenced, [(2.1, 7.0, "AA")], sent)
    seq = judge(referenced)
    monkeypatch.setattr(rollup, "BYTES", 1)
    left = allowed

    class Killed(BaseException):
        pass

    def writing(engine: Any) -> Any:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        return engine

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(rollup, "writing", writing)
        patch.setattr("monitor.worker.upkeep.retention.writing", writing)
        roll(referenced.engine, referenced.model, referenced.options)
    whole = Window(MIDNIGHT, MIDNIGHT + 2 * DAY)
    store = Profiles(referenced.engine, referenced.model, HOUR, reference(referenced))
    agree(store.read(store.of(whole, seq)), expected(referenced, sent, whole, seq))
    roll(referenced.engine, referenced.model, referenced.options)
    assert held(referenced) == {3600: 8, DAY: 2}
    assert count(referenced) == 1, "the last hour has not closed"
    agree(store.read(store.of(whole, seq)), expected(referenced, sent, whole, seq))


def test_a_bucket_that_lacks_a_chunk_is_not_rolled_up(log: Log, tmp_path: Path) -> None:
    sent = days(log, 1)
    judge(log)
    write_reference(log, tmp_path)
    more = days(log, 2, name="q")
    seq = judge(log)
    store = Profiles(log.engine, log.model, HOUR, reference(log))
    day = Window(MIDNIGHT, MIDNIGHT + DAY)
    roll(log.engine, log.model, log.options)
    assert held(log) == {3600: 23}, "the hours of the second day"
    assert len(store.of(day, seq).missing) == 24
    for id_ in store.missing(day, seq):
        store.make(id_)
    roll(log.engine, log.model, log.options)
    assert held(log) == {3600: 47, DAY: 1}
    agree(store.read(store.of(day, seq)), expected(log, [*sent, *more], day, seq))


def test_rollups_outlive_the_rows(referenced: Log) -> None:
    sent = days(referenced, 2)
    seq = judge(referenced)
    roll(referenced.engine, referenced.model, referenced.options)
    referenced.write(delete(chunks))
    day = Window(MIDNIGHT, MIDNIGHT + DAY)
    store = Profiles(referenced.engine, referenced.model, HOUR, reference(referenced))
    found = store.of(day, seq)
    assert not found.missing
    agree(store.read(found), expected(referenced, sent, day, seq))


def test_a_window_that_cuts_a_bucket_is_refused(referenced: Log) -> None:
    store = Profiles(referenced.engine, referenced.model, HOUR, reference(referenced))
    with pytest.raises(ValueError, match="whole buckets"):
        store.of(Window(MIDNIGHT, MIDNIGHT + 1800.0), 1)


def test_windows_of_a_day_are_kept_by_the_hour(log: Log, tmp_path: Path) -> None:
    log.options = replace(log.options, every=float(DAY))
    write_reference(log, tmp_path)
    sent = days(log, 2)
    seq = judge(log)
    assert len(log.rows(select(chunks.c.bucket_start).distinct())) == 25
    roll(log.engine, log.model, log.options)
    assert held(log) == {3600: 24, DAY: 1}
    store = Profiles(log.engine, log.model, float(DAY), reference(log))
    hours = Window(MIDNIGHT + 5 * HOUR, MIDNIGHT + 8 * HOUR)
    agree(store.read(store.of(hours, seq)), expected(log, sent, hours, seq))
