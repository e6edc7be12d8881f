from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import Engine, event, func, select, update

from checks.data.ids import hash_ids
from monitor.store.tables import arrivals, chunks, labels, progress
from monitor.worker.messages import CompactionResult, ModelOptions
from monitor.worker.stored.chunks import decode
from monitor.worker.tasks import compact
from tests.monitor.worker.log import HOUR, START, Log, Prediction, Truth

EVERYTHING = 1 << 40


def run(log: Log, upto: int = EVERYTHING) -> CompactionResult:
    log.scan()
    return compact(log.url, log.model, upto, log.options)


def contents(log: Log) -> list[tuple[float, int, list[str]]]:
    """Each chunk's window (hours after the start), position and ids."""
    rows = log.rows(select(chunks).order_by(chunks.c.window_start, chunks.c.seq, chunks.c.id))
    return [
        ((row.window_start - START) / HOUR, row.seq, decode(row.payload, row.codec, None, ["id"])["id"].to_pylist())
        for row in rows
    ]


def placed(log: Log) -> dict[tuple[str, int], tuple[str, float | None]]:
    """Each label version's value and window (hours after the start)."""
    return {
        (row.prediction_id, row.seq): (
            row.label,
            None if row.window_start is None else (row.window_start - START) / HOUR,
        )
        for row in log.rows(select(labels))
    }


def at(hours: float, id_: str, **more: Any) -> Prediction:
    return Prediction(id_, START + hours * HOUR, **more)


def truth(id_: str, label: Any = "yes", hours: float = 0.0) -> Truth:
    return Truth(id_, label, START + hours * HOUR)


def test_arrivals_of_one_window_become_one_chunk_and_leave_the_log(log: Log) -> None:
    for number in range(50):
        last = log.predict(at(0.01 * number, f"a{number}"))
    assert run(log) == CompactionResult(rows=50)
    assert contents(log) == [(0.0, last, [f"a{number}" for number in range(50)])]
    assert log.rows(select(func.count()).select_from(arrivals))[0][0] == 0
    assert log.rows(select(progress.c.compacted_seq))[0][0] == last


def test_a_chunk_keeps_every_value_its_times_and_sorted_hashes(log: Log) -> None:
    features = {"distance": 2.5, "carrier": "Æ", "late": None}
    log.predict(at(0.5, "b", features=features, prediction="yes", score=0.75), at(0.25, "a", features={"new": 1}))
    run(log)
    row = log.rows(select(chunks))[0]
    assert (row.t_min, row.t_max, row.n, row.codec) == (START + 900, START + 1800, 2, "msgpack-columns/1")
    assert row.id_hashes == np.sort(hash_ids(["a", "b"])).astype("<u8").tobytes()
    frame = decode(row.payload, row.codec, None).to_pydict()
    assert frame["f:distance"] == [2.5, None]
    assert frame["f:carrier"] == ["Æ", None]
    assert frame["f:new"] == [None, 1.0]
    assert frame["score"] == [0.75, 0.25]


def test_no_chunk_spans_two_windows(log: Log) -> None:
    seq = log.predict(at(0.9, "a"), at(1.1, "b"), at(0.95, "c"))
    run(log)
    assert contents(log) == [(0.0, seq, ["a", "c"]), (1.0, seq, ["b"])]


def test_no_chunk_spans_the_arrival_that_closed_a_window(log: Log) -> None:
    log.predict(at(0.1, "a"))
    closing = log.predict(at(1.2, "b"))
    late = log.predict(at(0.2, "late"), at(1.3, "c"))
    run(log)
    assert contents(log) == [
        (0.0, 1, ["a"]),
        (0.0, late, ["late"]),
        (1.0, closing, ["b"]),
        (1.0, late, ["c"]),
    ]


def test_goes_no_further_than_told_or_than_scanned(log: Log) -> None:
    first = log.predict(at(0.1, "a"))
    log.predict(at(0.2, "b"))
    log.scan()
    log.predict(at(0.3, "c"))
    assert compact(log.url, log.model, first, log.options).rows == 1
    assert compact(log.url, log.model, EVERYTHING, log.options).rows == 1
    assert log.rows(select(func.count()).select_from(arrivals))[0][0] == 1


def test_an_unknown_model_has_nothing_to_compact(log: Log) -> None:
    assert compact(log.url, "other", EVERYTHING, log.options) == CompactionResult()


def test_the_first_row_of_an_id_stays_and_the_others_are_counted(log: Log) -> None:
    log.predict(at(0.1, "a", prediction="yes"), at(0.1, "b"), at(0.2, "a", prediction="no"))
    run(log)
    log.predict(at(0.1, "b"), at(0.3, "c"))
    assert run(log) == CompactionResult(rows=1, duplicates=1)
    assert [ids for _, _, ids in contents(log)] == [["a", "b"], ["c"]]
    assert [row.duplicates for row in log.rows(select(chunks).order_by(chunks.c.seq))] == [1, 1]
    kept = log.rows(select(chunks).order_by(chunks.c.seq))[0]
    assert decode(kept.payload, kept.codec, None)["prediction"].to_pylist() == ["yes", "no"]


def test_an_id_may_come_back_once_the_horizon_is_past(log: Log) -> None:
    log.predict(at(0.1, "a"), at(1.9, "a"), at(2.0, "a"), at(3.5, "a"))
    assert run(log) == CompactionResult(rows=2, duplicates=2)
    assert [(hour, ids) for hour, _, ids in contents(log)] == [(0.0, ["a"]), (2.0, ["a"])]


def test_a_batch_of_nothing_but_duplicates_leaves_no_chunk(log: Log) -> None:
    log.predict(at(0.1, "a"))
    run(log)
    log.predict(at(0.1, "a"))
    assert run(log) == CompactionResult(duplicates=1)
    assert len(contents(log)) == 1


def test_ids_of_one_hash_are_two_ids(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def same(ids: Any) -> np.ndarray[Any, Any]:
        return np.zeros(len(ids), np.uint64)

    for module in ("compaction.compaction", "stored.id_index"):
        monkeypatch.setattr(f"monitor.worker.{module}.hash_ids", same)
    log.predict(at(0.1, "a"), at(0.1, "b"))
    assert run(log) == CompactionResult(rows=2)
    log.predict(at(0.1, "b"), at(0.1, "c"))
    assert run(log) == CompactionResult(rows=1, duplicates=1)


def test_labels_find_the_window_of_their_prediction(log: Log) -> None:
    log.predict(at(0.1, "a"), at(1.1, "b"))
    run(log)
    seq = log.label(truth("a"), truth("b", 1), truth("unknown", None))
    assert run(log) == CompactionResult(labels_read=3, labels_placed=2, labels_waiting=1)
    assert placed(log) == {("a", seq): ('"yes"', 0.0), ("b", seq): ("1", 1.0), ("unknown", seq): ("null", None)}


@pytest.mark.parametrize("together", [True, False])
def test_a_label_that_comes_first_waits_for_its_prediction(log: Log, together: bool) -> None:
    first = log.label(truth("a", "no"))
    second = log.label(truth("a", "yes"))
    if not together:
        assert run(log) == CompactionResult(labels_read=2, labels_waiting=1)
    log.predict(at(1.5, "a"))
    done = run(log)
    assert (done.rows, done.labels_waiting) == (1, 0)
    assert placed(log) == {("a", first): ('"no"', 1.0), ("a", second): ('"yes"', 1.0)}


@pytest.mark.parametrize("portioned", [True, False])
def test_a_label_belongs_to_the_latest_prediction_before_it(log: Log, portioned: bool) -> None:
    def step() -> None:
        if portioned:
            run(log)

    early = log.label(truth("a"))
    step()
    log.predict(at(0.0, "a"))
    step()
    one = log.label(truth("a"))
    step()
    log.predict(at(5.0, "a"))
    step()
    two = log.label(truth("a"))
    run(log)
    assert {seq: hour for (_, seq), (_, hour) in placed(log).items()} == {early: 0.0, one: 0.0, two: 5.0}


def test_of_one_id_twice_in_a_batch_of_labels_the_last_counts(log: Log) -> None:
    seq = log.label(truth("a", "no"), truth("a", "yes"))
    run(log)
    assert placed(log) == {("a", seq): ('"yes"', None)}


def test_a_large_arrival_is_written_in_small_transactions(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.worker.compaction.compaction.PORTION_BYTES", 2000)
    monkeypatch.setattr("monitor.worker.compaction.commit.WRITE_BYTES", 5000)
    ids = [f"id-{number}" for number in range(500)]
    log.predict(*(at(number / 1000, id_) for number, id_ in enumerate(ids)))
    with commits() as counted:
        assert run(log).rows == 500
    assert len(counted) > 5
    assert [id_ for _, _, chunk in contents(log) for id_ in chunk] == ids


class Killed(Exception):
    pass


@contextmanager
def commits(fail_at: int | None = None) -> Iterator[list[int]]:
    """Counts commits; the one numbered `fail_at` does not happen, as if the process had died before it."""
    counted: list[int] = []

    def on_commit(_connection: Any) -> None:
        if len(counted) == fail_at:
            raise Killed
        counted.append(len(counted))

    event.listen(Engine, "commit", on_commit)
    try:
        yield counted
    finally:
        event.remove(Engine, "commit", on_commit)


def test_cut_short_before_any_commit_it_ends_the_same(
    tmp_path: Path, options: ModelOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.worker.compaction.compaction.PORTION_BYTES", 3000)
    monkeypatch.setattr("monitor.worker.compaction.commit.WRITE_BYTES", 5000)
    monkeypatch.setattr("monitor.worker.compaction.commit.LABEL_BYTES", 1500)
    monkeypatch.setattr("monitor.worker.compaction.commit.LABELS", 2)

    def fill(name: str) -> Log:
        log = Log(tmp_path / name, options)
        log.label(*(truth(f"b{number}") for number in range(0, 90, 10)))
        log.predict(*(at(number / 60, f"a{number}") for number in range(60)))
        log.predict(*(at(0.5 + number / 60, f"b{number}") for number in range(90)), at(0.1, "a7"))
        log.label(*(truth(f"a{number}") for number in range(0, 70, 10)))
        log.scan()
        return log

    whole = fill("whole.db")
    with commits() as counted:
        run(whole)
    assert len(counted) > 8
    for number in range(len(counted)):
        log = fill(f"{number}.db")
        with commits(fail_at=number), pytest.raises(Killed):
            compact(log.url, log.model, EVERYTHING, log.options)
        compact(log.url, log.model, EVERYTHING, log.options)
        assert contents(log) == contents(whole), number
        assert placed(log) == placed(whole), number
        assert log.rows(select(func.count()).select_from(arrivals))[0][0] == 0
        assert log.rows(select(func.sum(chunks.c.duplicates)))[0][0] == 1


def columns(**changed: Any) -> bytes:
    """A batch of one prediction, `x`, with these columns instead."""
    sound: dict[str, Any] = {
        "id": ["x"],
        "time": [START],
        "features": {"distance": [1.0]},
        "prediction": ["no"],
        **dict.fromkeys(("probabilities", "latency", "version", "tags")),
    }
    return msgspec.msgpack.encode({key: value for key, value in (sound | changed).items() if value != "gone"})


DAMAGE = [
    b"\xc1\xc1\xc1",
    b"",
    msgspec.msgpack.encode([1]),
    columns(features="gone"),
    columns(features={"distance": [1.0, 2.0]}),
    columns(features={"distance": [[1.0]]}),
    columns(prediction=["no", "no"]),
    columns(id=[1]),
    columns(time=[float("nan")]),
    columns(time=[1e300]),
    columns(latency=["fast"]),
]


@pytest.mark.parametrize("kind", ["predictions", "labels"])
@pytest.mark.parametrize("payload", DAMAGE)
def test_a_damaged_batch_is_set_aside_and_the_others_are_compacted(
    log: Log, payload: bytes, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.predict(at(0.1, "a"))
    damaged = log.predict(at(0.2, "x")) if kind == "predictions" else log.label(truth("x"))
    log.write(update(arrivals).where(arrivals.c.seq == damaged).values(payload=payload))
    log.predict(at(0.3, "b"))
    log.label(truth("a"))
    assert run(log) == CompactionResult(rows=2, labels_read=1, labels_placed=1, damaged=1)
    assert [id_ for _, _, ids in contents(log) for id_ in ids] == ["a", "b"]
    rest = log.rows(select(arrivals.c.seq, arrivals.c.kind, arrivals.c.payload))
    assert [tuple(row) for row in rest] == [(damaged, "damaged", payload)]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and told[0].startswith(f"delays: arrival {damaged} can't be read and is set aside")
    log.predict(at(0.4, "c"))
    assert run(log) == CompactionResult(rows=1), "and is not looked at again"


def test_a_batch_of_another_codec_is_set_aside(log: Log) -> None:
    log.predict(at(0.1, "a"))
    log.write(update(arrivals).values(codec="other/1"))
    assert run(log) == CompactionResult(damaged=1)


def test_no_damage_of_a_payload_stops_compaction(tmp_path: Path, options: ModelOptions) -> None:
    log = Log(tmp_path / "bits.db", options)
    rng = np.random.default_rng(7)
    for number in range(300):
        log.predict(at(0.1, f"a{number}", features={"distance": 1.5, "carrier": "UA"}))
    for row in log.rows(select(arrivals.c.seq, arrivals.c.payload)):
        payload = bytearray(row.payload)
        payload[rng.integers(len(payload))] = rng.integers(256)
        log.write(update(arrivals).where(arrivals.c.seq == row.seq).values(payload=bytes(payload)))
    done = run(log)
    assert done.damaged > 50 and done.rows > 50
