"""The database's file is deleted, replaced or damaged while it is written: nothing more is acknowledged."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from monitor.store.engine import explain, is_refusal, open_engine
from monitor.store.guard import Guard
from monitor.store.lock import hold
from monitor.store.writer import Writer
from tests.monitor.store.test_writer import put, stored


class Held:
    """A database as a daemon holds it, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.file, self.url = folder / "w.db", f"sqlite:///{folder}/w.db"
        self.lock = hold(self.url)
        guard = Guard(self.lock)
        self.engine: Engine = open_engine(self.url, create=False)
        guard.watch(self.engine)
        self.damaged = guard.damaged
        self.writer = Writer(self.engine, check=guard.check)
        self.writer.start()
        self.writer.call(lambda connection: connection.execute(text("create table t (x integer primary key)")) and None)

    def put(self, x: int) -> int:
        return self.writer.call(lambda connection: put(connection, x))

    def refusal(self, x: int = 99) -> str:
        """What the refusal of a write says to people."""
        with pytest.raises(DBAPIError) as caught:
            self.put(x)
        assert is_refusal(caught.value)
        return explain(caught.value, self.url)

    def close(self) -> None:
        self.writer.stop()
        self.engine.dispose()
        assert self.lock is not None
        self.lock.close()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    it = Held(tmp_path / "data")
    yield it
    it.close()


def replaced(held: Held) -> None:
    """By a copy, as a restored backup is."""
    copy = held.file.with_name("copy.db")
    shutil.copy(held.file, copy)
    copy.replace(held.file)


def folder_replaced(held: Held) -> None:
    folder = held.file.parent
    folder.rename(folder.with_name("before"))
    folder.mkdir()
    (folder / "w.db").touch()


def moved_to_a_link(held: Held) -> None:
    """Which points to another file then, as a volume's that is switched."""
    held.file.rename(held.file.with_name("first.db"))
    (held.file.with_name("second.db")).touch()
    held.file.symlink_to("second.db")


def cut_to_nothing(held: Held) -> None:
    os.truncate(held.file, 0)


def cut_short(held: Held) -> None:
    """By a page: what is there is well in itself."""
    held.engine.connect().exec_driver_sql("pragma wal_checkpoint(passive)").all()
    held.put(5)
    os.truncate(held.file, held.file.stat().st_size - 4096)


LOST: dict[Callable[[Held], None], str] = {
    (lambda held: held.file.unlink()): "deleted or moved away",
    (lambda held: held.file.rename(held.file.with_name("x"))): "deleted or moved away",
    (lambda held: held.file.parent.rename(held.file.parent.with_name("y"))): "deleted or moved away",
    replaced: "another file was put in its place",
    folder_replaced: "another file was put in its place",
    moved_to_a_link: "another file was put in its place",
    cut_to_nothing: "cut short",
    cut_short: "cut short",
    (lambda held: held.file.with_name("w.db-wal").unlink()): "w.db-wal was deleted or replaced",
    (lambda held: held.file.with_name("w.db-shm").unlink()): "w.db-shm was deleted or replaced",
}


@pytest.mark.parametrize("lose", LOST)
def test_nothing_is_acknowledged_once_the_file_is_lost(held: Held, lose: Callable[[Held], None]) -> None:
    for x in range(3):
        assert held.put(x) == x
    held.engine.connect().exec_driver_sql("pragma wal_checkpoint(passive)").all()
    held.put(3)
    lose(held)
    for _ in range(2):
        assert LOST[lose] in held.refusal()


def test_a_commit_into_a_file_that_went_meanwhile_is_not_acknowledged(held: Held) -> None:
    held.put(1)

    def vanish(connection: object) -> None:
        held.file.unlink()

    with pytest.raises(OperationalError, match="deleted or moved away"):
        held.writer.call(vanish)


def test_once_the_file_is_back_it_goes_on(held: Held) -> None:
    held.put(1)
    aside = held.file.with_name("aside.db")
    held.file.rename(aside)
    assert "put it back" in held.refusal(2)
    aside.rename(held.file)
    assert held.put(3) == 3
    assert stored(held.engine) == [1, 3]


def test_no_empty_file_takes_the_place_of_a_lost_one(held: Held) -> None:
    held.file.unlink()
    late = open_engine(held.url, create=False)
    with pytest.raises(OperationalError, match="unable to open"):
        late.connect()
    assert not held.file.exists()


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "x#y.db", "ü.db"])
def test_a_file_that_is_there_is_opened_whatever_its_name(tmp_path: Path, name: str) -> None:
    sqlite3.connect(tmp_path / name).close()
    (tmp_path / name).touch()
    engine = open_engine("sqlite:///" + str(tmp_path / name).replace("?", "%3F"), create=False)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select 1").scalar() == 1
    engine.dispose()


def test_what_was_in_a_deleted_wal_is_saved_by_the_stop_that_the_refusal_asks_for(tmp_path: Path) -> None:
    held = Held(tmp_path / "data")
    held.put(1)
    held.file.with_name("w.db-wal").unlink()
    held.refusal()
    held.close()
    assert sqlite3.connect(held.file).execute("select x from t").fetchall() == [(1,)]


def test_a_file_that_grows_and_shrinks_by_itself_is_no_lost_one(held: Held) -> None:
    with held.engine.connect() as reader:
        held.writer.call(lambda connection: connection.execute(text("create table blobs (data blob)")) and None)
        fill = text("insert into blobs values (zeroblob(3000000))")
        held.writer.call(lambda connection: connection.execute(fill) and None)
        reader.exec_driver_sql("pragma wal_checkpoint(passive)").all()
        large = held.file.stat().st_size
    held.put(1)
    held.writer.call(lambda connection: connection.execute(text("delete from blobs")) and None)
    other = sqlite3.connect(held.file)
    other.executescript("pragma incremental_vacuum(700)")
    other.execute("pragma wal_checkpoint(truncate)").fetchall()
    other.close()
    assert held.file.stat().st_size < large
    assert held.put(2) == 2


def damage(held: Held) -> None:
    """Pages that a later read finds broken, and no check of a name or length does."""
    held.writer.call(lambda connection: connection.execute(text("create table big (x text)")) and None)
    many = text("insert into big values (:x)")
    held.writer.call(lambda connection: connection.execute(many, [{"x": "y" * 500}] * 200) and None)
    with held.engine.connect() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(passive)").all()
    size = held.file.stat().st_size
    with held.file.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * (size - 3 * 4096))


def test_damage_that_a_reader_finds_ends_all_writing(tmp_path: Path) -> None:
    it = Held(tmp_path / "data")
    damage(it)
    assert it.put(1) == 1, "nobody has looked there yet"
    with it.engine.connect(), it.engine.connect() as fresh, pytest.raises(DBAPIError, match="malformed"):
        fresh.execute(text("select * from big")).all()
    for _ in range(2):
        assert "is damaged or not a database" in it.refusal(2)
    it.close()


def test_damage_that_the_worker_found_ends_all_writing(held: Held) -> None:
    held.put(1)
    held.damaged("database disk image is malformed")
    assert "is damaged or not a database (database disk image is malformed)" in held.refusal()


def test_errors_that_are_no_damage_end_nothing(held: Held) -> None:
    held.put(1)
    with pytest.raises(DBAPIError) as caught:
        held.put(1)
    assert not is_refusal(caught.value)
    with held.engine.connect() as connection, pytest.raises(OperationalError) as missing:
        connection.execute(text("select * from missing"))
    assert not is_refusal(missing.value)
    assert held.put(2) == 2
