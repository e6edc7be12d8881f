import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, func, insert, select

from monitor.ingest.predictions import parse_predictions
from monitor.ingest.rejection import Parsed
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings
from monitor.store.engine import open_engine
from monitor.store.events import EventStore, Receipt
from monitor.store.tables import arrivals, chunks, idempotency
from monitor.store.writer import QueueFull, Writer
from tests.database import tables_in
from tests.monitor.web.rig import NOW, StillClock


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tables_in(tmp_path / "w.db"))
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine, max_bytes=100_000)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def store(engine: Engine, writer: Writer) -> EventStore:
    return EventStore(writer, engine, StillClock())


def batch(*ids: str, time: float = NOW) -> Parsed:
    rows = [{"id": id, "time": time, "prediction": 1} for id in ids]
    return parse_predictions(msgspec.json.encode(rows), "application/json", LimitSettings(), TimeRange())


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_acknowledged_batch_is_an_arrival(store: EventStore, engine: Engine) -> None:
    receipt = store.submit("delays", "predictions", batch("a", "b")).result(30)

    assert receipt == Receipt(b'{"accepted":2,"rejected":0,"errors":[],"warnings":[]}')
    with engine.connect() as connection:
        (row,) = connection.execute(select(arrivals))
    assert (row.seq, row.model, row.kind, row.n, row.codec) == (1, "delays", "predictions", 2, "msgpack-columns/1")
    assert (row.received_at, row.t_min, row.t_max) == (NOW, NOW, NOW)
    assert msgspec.msgpack.decode(row.payload)["id"] == ["a", "b"]


def test_a_batch_without_a_good_row_leaves_no_arrival(store: EventStore, engine: Engine) -> None:
    receipt = store.submit("delays", "predictions", batch("")).result(30)

    assert msgspec.json.decode(receipt.reply)["rejected"] == 1
    assert count(engine, arrivals) == 0


def test_the_same_key_is_answered_as_before_and_stored_once(store: EventStore, engine: Engine) -> None:
    first = store.submit("delays", "predictions", batch("a"), key="k").result(30)
    again = store.submit("delays", "predictions", batch("a", time=1.0), key="k").result(30)

    assert (again.reply, first.repeated, again.repeated) == (first.reply, False, True)
    assert count(engine, arrivals) == 1


def test_the_same_key_for_another_body_is_told_apart(store: EventStore, engine: Engine) -> None:
    digests = ["d", "other", "d"]
    receipts = [store.submit("delays", "predictions", batch("a"), "k", digest).result(30) for digest in digests]

    assert [(receipt.repeated, receipt.differs) for receipt in receipts] == [
        (False, False),
        (False, True),
        (True, False),
    ]
    assert count(engine, arrivals) == 1


def test_a_reply_kept_without_a_digest_is_given_again(store: EventStore, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            insert(idempotency).values(
                model="delays", key="k", kind="predictions", received_at=NOW, reply='{"accepted":1}'
            )
        )

    assert store.submit("delays", "predictions", batch("a"), "k", "d").result(30) == Receipt(b'{"accepted":1}', True)


def test_a_key_belongs_to_its_model_and_kind(store: EventStore, engine: Engine) -> None:
    for model, kind in [("delays", "predictions"), ("past", "predictions"), ("delays", "labels")]:
        assert not store.submit(model, kind, batch("a"), key="k").result(30).repeated  # type: ignore[arg-type]
    assert count(engine, arrivals) == 3


def test_the_same_key_at_the_same_moment_is_stored_once(store: EventStore, engine: Engine, writer: Writer) -> None:
    """Both wait behind a job, and then share one transaction."""
    go = threading.Event()
    writer.submit(lambda connection: go.wait(60))
    futures = [store.submit("delays", "predictions", batch("a"), key="k") for _ in range(5)]
    go.set()

    assert [future.result(30).repeated for future in futures] == [False, True, True, True, True]
    assert count(engine, arrivals) == count(engine, idempotency) == 1


def test_a_key_is_free_again_when_its_batch_was_not_stored(
    store: EventStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(store._insert, "run", broken)
        with pytest.raises(OSError, match="no space"):
            store.submit("delays", "predictions", batch("a"), key="k").result(30)

    assert count(engine, idempotency) == 0
    assert not store.submit("delays", "predictions", batch("a"), key="k").result(30).repeated


def test_over_the_bound_nothing_more_is_queued(store: EventStore, writer: Writer) -> None:
    go = threading.Event()
    writer.submit(lambda connection: go.wait(60))
    taken: list[Future[Receipt]] = []
    with pytest.raises(QueueFull) as refused:
        while True:
            taken.append(store.submit("delays", "predictions", batch(*map(str, range(1000)))))
    go.set()

    assert refused.value.retry_after > 0
    assert 1 < len(taken) < 20
    assert all(future.result(30).reply.startswith(b'{"accepted":1000') for future in taken)


def test_a_waiter_that_left_does_not_stop_the_writer(store: EventStore, writer: Writer) -> None:
    go = threading.Event()
    writer.submit(lambda connection: go.wait(60))
    left = store.submit("delays", "predictions", batch("a"))
    assert left.cancel()
    go.set()

    assert store.submit("delays", "predictions", batch("b")).result(30).reply.startswith(b'{"accepted":1')


def test_when_something_was_last_received(store: EventStore, engine: Engine) -> None:
    assert store.newest_received("delays", "predictions") is None
    store.submit("delays", "predictions", batch("a", time=5.0)).result(30)

    assert store.newest_received("delays", "predictions") == NOW
    assert store.newest_received("delays", "labels") is None


def test_what_was_received_before_a_restart_counts(engine: Engine, writer: Writer) -> None:
    blank: dict[str, Any] = {"payload": b"", "id_hashes": b"", "codec": "", "n": 1, "duplicates": 0, "seq": 1}
    with engine.begin() as connection:
        connection.execute(
            insert(chunks).values(
                model="delays", window_start=0.0, bucket_start=0.0, t_min=0.0, t_max=0.0, received_at=77.0, **blank
            )
        )

    assert EventStore(writer, engine, StillClock()).newest_received("delays", "predictions") == 77.0


def test_a_probe_writes_and_leaves_nothing(store: EventStore, engine: Engine) -> None:
    store.probe().result(30)
    store.probe().result(30)

    assert count(engine, idempotency) == 0
