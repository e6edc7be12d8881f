"""The rows that a report is on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checks.base import Window
from checks.data.arrow import float_array, string_array
from checks.data.schema import SchemaError
from monitor.worker.evidently.rows import count, frame_of, of_reference, of_window
from monitor.worker.messages import ModelOptions
from monitor.worker.sample import Sample
from monitor.worker.stored.references import StoredReference, newest, reread
from monitor.worker.stored.window_reader import WindowReader
from monitor.worker.tasks import compact
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth
from tests.monitor.worker.sample import reference_table, write_reference


def rows(numbers: range) -> pa.Table:
    ids = string_array([f"id-{number}" for number in numbers])
    return pa.table({"id": ids, "time": float_array(np.array(numbers, np.float64))})


def sampled(*portions: range, size: int = 50, seed: int = 0) -> list[str]:
    sample = Sample(size, seed)
    for portion in portions:
        sample.add(rows(portion))
    table = sample.table()
    return [] if table is None else table["id"].to_pylist()


def test_the_same_rows_give_the_same_sample_however_they_are_portioned() -> None:
    whole = sampled(range(1000))
    assert len(whole) == len(set(whole)) == 50
    assert whole == sorted(whole, key=lambda id_: int(id_[3:])), "in order of time"
    assert sampled(*(range(start, start + 7) for start in range(0, 994, 7)), range(994, 1000)) == whole
    assert sampled(range(500, 1000), range(500)) == whole
    assert sampled(range(1000), seed=1) != whole
    assert sampled(range(20)) == [f"id-{number}" for number in range(20)], "all, if there are no more"
    assert sampled() == []


def test_a_sample_is_spread_over_all_rows() -> None:
    places = [int(id_[3:]) for id_ in sampled(range(10_000), size=1_000)]
    assert 4_700 < np.mean(places) < 5_300


def test_the_references_sample_is_the_same_at_every_call() -> None:
    table = rows(range(1000))
    assert of_reference(table, 100, 3).equals(of_reference(table, 100, 3))
    assert of_reference(table, 100, 3).num_rows == 100
    assert of_reference(table, 1000, 3) is table


@pytest.fixture
def stored(log: Log, tmp_path: Path, options: ModelOptions) -> StoredReference:
    write_reference(log, tmp_path)
    with log.engine.connect() as connection:
        found = newest(connection, options.model)
    assert found is not None
    return found


def test_rows_of_several_windows_as_of_a_position(log: Log, options: ModelOptions, stored: StoredReference) -> None:
    for hour in range(3):
        log.predict(*(Prediction(f"{hour}-{index}", START + hour * HOUR + index) for index in range(10)))
    seq = log.label(*(Truth(f"{hour}-{index}", "yes", START + 3 * HOUR) for hour in range(2) for index in range(4)))
    log.scan()
    compact(log.url, options.model, seq, options)
    late = log.predict(Prediction("late", START + 5))
    log.scan()
    compact(log.url, options.model, late, options)
    evidence = WindowReader(log.engine, options.model, stored, seq, options)
    two = Window(START, START + 2 * HOUR)
    assert count(evidence, two, HOUR) == 20, "what came after the position is not seen"
    every, labelled = Sample(100, 0), Sample(100, 0)
    of_window(evidence, two, HOUR, every, labelled=False)
    of_window(evidence, two, HOUR, labelled, labelled=True)
    assert (every.seen, labelled.seen) == (20, 8)
    table = labelled.table()
    assert table is not None
    frame = frame_of(table, stored.reference.schema)
    assert list(frame.columns) == ["distance", "carrier", "target", "prediction", "score"]
    assert set(frame["target"]) == {"yes"}


def test_another_file_in_the_references_place_is_told(
    log: Log, tmp_path: Path, options: ModelOptions, stored: StoredReference
) -> None:
    path = tmp_path / "reference.parquet"
    assert reread(log.engine, stored, str(path), options).num_rows == 400
    pq.write_table(reference_table(300), path)
    with pytest.raises(SchemaError, match="is not what it was when it was built"):
        reread(log.engine, stored, str(path), options)
    path.unlink()
    with pytest.raises(SchemaError, match="does not exist"):
        reread(log.engine, stored, str(path), options)
