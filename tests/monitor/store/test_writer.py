from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from monitor.store.engine import open_engine, writing
from monitor.store.writer import QueueFull, Writer


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/w.db")
    with writing(engine).begin() as connection:
        connection.execute(text("create table t (x integer primary key)"))
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine, max_bytes=100)
    writer.start()
    yield writer
    writer.stop()


def put(connection: Connection, x: int) -> int:
    connection.execute(text("insert into t values (:x)"), {"x": x})
    return x


def stored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select x from t order by x")))


def test_a_result_comes_after_the_commit(engine: Engine, writer: Writer) -> None:
    assert writer.call(lambda connection: put(connection, 1)) == 1
    assert stored(engine) == [1]


def test_jobs_that_wait_together_share_a_transaction_and_a_failing_one_fails_alone(
    engine: Engine, writer: Writer
) -> None:
    hold, held = threading.Event(), threading.Event()

    def wait(connection: Connection) -> None:
        held.set()
        hold.wait(60)

    first = writer.submit(wait)
    assert held.wait(30)
    good = [writer.submit(lambda connection, x=x: put(connection, x)) for x in (1, 2)]

    def half(connection: Connection) -> None:
        put(connection, 99)
        put(connection, 1)

    bad = writer.submit(half)
    last = writer.submit(lambda connection: put(connection, 3))
    hold.set()
    first.result(30)
    assert [future.result(30) for future in good] == [1, 2]
    assert "UNIQUE" in str(bad.exception(30))
    assert last.result(30) == 3
    assert stored(engine) == [1, 2, 3]


def test_the_queue_is_bounded_in_bytes_and_takes_work_without_a_size(writer: Writer) -> None:
    hold = threading.Event()
    writer.submit(lambda connection: hold.wait(60), size=60)
    with pytest.raises(QueueFull) as full:
        writer.submit(lambda connection: None, size=60)
    assert full.value.retry_after > 0
    unsized = writer.submit(lambda connection: 7)
    hold.set()
    assert unsized.result(30) == 7


def test_stopping_finishes_what_was_submitted(engine: Engine) -> None:
    writer = Writer(engine)
    futures = [writer.submit(lambda connection, x=x: put(connection, x)) for x in range(50)]
    writer.start()
    writer.stop()
    assert [future.result(0) for future in futures] == list(range(50))
    with pytest.raises(RuntimeError):
        writer.submit(lambda connection: None)


def test_a_full_disk_fails_every_job_of_the_transaction_and_acknowledges_none(engine: Engine, writer: Writer) -> None:
    pages = writer.call(lambda connection: connection.exec_driver_sql("pragma page_count").scalar_one())
    writer.call(lambda connection: connection.exec_driver_sql(f"pragma max_page_count = {pages + 2}").scalar_one())
    writer.call(lambda connection: connection.exec_driver_sql("create table blobs (data blob)"))
    hold, held = threading.Event(), threading.Event()

    def wait(connection: Connection) -> None:
        held.set()
        hold.wait(60)

    def swell(connection: Connection) -> None:
        connection.execute(text("insert into blobs values (zeroblob(1000000))"))

    first = writer.submit(wait)
    assert held.wait(30)
    together = [
        writer.submit(lambda connection: put(connection, 1)),
        writer.submit(swell),
        writer.submit(lambda connection: put(connection, 2)),
    ]
    hold.set()
    first.result(30)
    assert ["full" in str(future.exception(30)) for future in together] == [True, True, True]
    assert stored(engine) == []
    assert writer.call(lambda connection: put(connection, 3)) == 3, "it goes on once there is room"
    assert stored(engine) == [3]
