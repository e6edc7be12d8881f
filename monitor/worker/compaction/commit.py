"""Writes compacted portions of the arrival log: each transaction small, each portion done whole or done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Update, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store.engine import writing
from monitor.store.tables import arrivals, chunks, labels, profiles, progress
from monitor.worker.process import TryAgain

WRITE_BYTES = 4 << 20
"""Bound of a transaction; one of 32 MB takes the daemon's 99th percentile commit from 6 to 105 ms."""
LABEL_BYTES = 4 << 10
"""What a label costs: a page of the index on ids, which come in no order. Placing one that waited costs two: it also
moves within the index on windows."""
LABELS = 256
DAMAGED = "damaged"
"""Kind of an arrival that was set aside: kept for who wants to repair it, read by nobody."""

T = TypeVar("T")


class Overtaken(TryAgain):
    """Another process compacts the same log."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk as it will stand in the store, with its profiles if there is a binning."""

    values: dict[str, Any]
    profiles: Sequence[dict[str, Any]] = ()
    """Of all its rows, and of each segment's."""

    @property
    def size(self) -> int:
        own = sum(len(profile["payload"]) for profile in self.profiles)
        return len(self.values["payload"]) + len(self.values["id_hashes"]) + own


@dataclass(frozen=True, slots=True)
class CommitPortion:
    """What a stretch of the log, up to the arrival `last`, has become."""

    last: int
    chunks: Sequence[Stored] = ()
    labels: Sequence[dict[str, Any]] = ()
    found: Sequence[tuple[str, float]] = ()
    """Ids of labels that waited, and the start of the window of the prediction that has come."""
    damaged: Sequence[int] = ()
    """Arrivals that can't be read. They stay where they are, as `DAMAGED`."""


@dataclass
class Step:
    """A part of a transaction."""

    size: int
    write: Callable[[Connection], None]


@dataclass
class CommitStore:
    """Writes portions one after the other, from the arrival after `seq` on."""

    engine: Engine
    model: str
    seq: int

    def remove_unfinished(self) -> None:
        """Removes the chunks of a portion whose last transaction was not reached."""
        query = select(chunks.c.id).where(chunks.c.model == self.model, chunks.c.seq > self.seq)
        with self.engine.connect() as connection:
            unfinished = connection.scalars(query).all()
        for id_ in unfinished:
            with writing(self.engine).begin() as connection:
                self._check(connection)
                connection.execute(delete(profiles).where(profiles.c.chunk_id == id_))
                connection.execute(delete(chunks).where(chunks.c.id == id_))

    def write(self, portion: CommitPortion) -> None:
        """Stores the portion and removes its arrivals. Raises Overtaken when another process has worked on the log.

        Labels and their windows may be written twice, and chunks after `progress.compacted_seq` count for nothing; so
        all but the last transaction may stand without it.
        """
        *early, late = _packed(self._steps(portion))
        for steps in early:
            with writing(self.engine).begin() as connection:
                self._write(connection, steps)
        with writing(self.engine).begin() as connection:
            self._write(connection, late)
            if early:
                self._check_whole(connection, len(portion.chunks))
            self._finish(connection, portion)
        self.seq = portion.last

    def _steps(self, portion: CommitPortion) -> Iterator[Step]:
        for some in _some(portion.labels, LABELS):
            yield Step(len(some) * LABEL_BYTES, partial(self._write_labels, rows=some))
        for found in _some(portion.found, LABELS):
            yield Step(2 * len(found) * LABEL_BYTES, partial(self._release_labels, found=found))
        for chunk in portion.chunks:
            yield Step(chunk.size, partial(self._write_chunk, chunk=chunk))

    def _write(self, connection: Connection, steps: Sequence[Step]) -> None:
        self._check(connection)
        for step in steps:
            step.write(connection)

    def _write_labels(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(labels).on_conflict_do_nothing(), list(rows))

    def _release_labels(self, connection: Connection, found: Sequence[tuple[str, float]]) -> None:
        rows = [{"id": id_, "start": start} for id_, start in found]
        connection.execute(release(self.model), rows)

    def _write_chunk(self, connection: Connection, chunk: Stored) -> None:
        id_ = connection.execute(insert(chunks).values(chunk.values).returning(chunks.c.id)).scalar_one()
        if chunk.profiles:
            connection.execute(insert(profiles), [{**profile, "chunk_id": id_} for profile in chunk.profiles])

    def _check_whole(self, connection: Connection, count: int) -> None:
        """Makes sure that nobody has taken the earlier transactions' chunks for an unfinished portion's."""
        there = connection.scalar(
            select(func.count()).select_from(chunks).where(chunks.c.model == self.model, chunks.c.seq > self.seq)
        )
        if there != count:
            raise self._overtaken()

    def _check(self, connection: Connection) -> None:
        compacted = connection.scalar(select(progress.c.compacted_seq).where(progress.c.model == self.model))
        if compacted != self.seq:
            raise self._overtaken()

    def _overtaken(self) -> Overtaken:
        return Overtaken(f"another process compacts the arrivals of {self.model!r}; stop one of the two")

    def _finish(self, connection: Connection, portion: CommitPortion) -> None:
        for seq in portion.damaged:
            connection.execute(update(arrivals).where(arrivals.c.seq == seq).values(kind=DAMAGED))
        done = (arrivals.c.model == self.model, arrivals.c.seq > self.seq, arrivals.c.seq <= portion.last)
        connection.execute(delete(arrivals).where(*done, arrivals.c.kind != DAMAGED))
        here = progress.c.model == self.model
        connection.execute(update(progress).where(here).values(compacted_seq=portion.last))


def release(model: str) -> Update:
    """Gives the waiting labels of one id, `id`, the window that begins at `start`."""
    # The sum keeps indexes on `window_start` away: they would read every waiting label of the model for each id.
    waits = (labels.c.window_start + 0.0).is_(None)
    here = (labels.c.model == model, labels.c.prediction_id == bindparam("id"), waits)
    return update(labels).where(*here).values(window_start=bindparam("start"))


def _packed(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps in order, in transactions within the bound (one step that is over it has its own); at least one."""
    packed: list[list[Step]] = [[]]
    size = 0
    for step in steps:
        if packed[-1] and size + step.size > WRITE_BYTES:
            packed.append([])
            size = 0
        packed[-1].append(step)
        size += step.size
    return packed


def _some(items: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    rest = iter(items)
    while some := list(islice(rest, count)):
        yield some
