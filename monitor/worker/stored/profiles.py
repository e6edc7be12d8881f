"""The stored profiles of one model under one binning: any window of whole buckets, as of a position in the log.

Why it does not matter which roll-ups have been made by then: docs/decisions/0006-rollups.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from checks.base import Window
from checks.profile import Binning, Profile, empty, profile
from checks.profile.stack import Stack, rows_of
from checks.segments.dimension import Dimension, mark_of
from monitor.store.buckets import Bucket, bucket_of, cover, grain, levels
from monitor.store.engine import writing
from monitor.store.tables import chunks, profiles, rollups
from monitor.worker.stored import model_versions
from monitor.worker.stored.chunks import decode, fitted
from monitor.worker.stored.references import StoredReference

PROFILE_CODEC = "profile/2"
AT_ONCE = 64
"""Profiles read and merged at a time: of 1,000 columns they take some 10 MB."""
WHOLE = ""
"""The segment of all rows."""
ALL_TIME = Window(-1e13, 1e13)
"""Whatever is stored is inside."""


@dataclass(frozen=True, slots=True)
class LooseChunk:
    """A chunk's profile: its chunk, its bucket and its position."""

    chunk_id: int
    start: float
    seq: int


@dataclass(frozen=True, slots=True)
class FoundProfiles:
    """What there is of a window."""

    payload: bytes
    """The profile of all its rows but those of the `missing` chunks; its moments are not rounded."""
    missing: Sequence[int] = ()
    """Chunks without a profile under this binning, in the order in which they came."""

    @property
    def n(self) -> int:
        """Rows of the profile."""
        return rows_of(self.payload)


def told_apart(frame: pa.Table, binning: Binning, dimension: Dimension) -> list[Profile]:
    """The profile of each segment's rows, in the order of its segments."""
    parts = dimension.split(frame, binning)
    return [profile(rows, binning) if rows.num_rows else empty(binning) for rows in parts]


def stored(keys: Sequence[str], found: Sequence[Profile]) -> list[dict[str, Any]]:
    """What the rows of the store tell each profile by. One without rows has none, but for a dimension's mark."""
    return [
        {"segment": key, "n": one.n, "payload": one.to_bytes()}
        for key, one in zip(keys, found, strict=True)
        if one.n or key in (WHOLE, mark_of(key))
    ]


class HeldRollups:
    """What a set of roll-ups holds, of which none holds another."""

    def __init__(self, buckets: Sequence[Bucket]) -> None:
        self._by_place = {(bucket.seconds, bucket.start): bucket for bucket in buckets}
        self._lengths = sorted({bucket.seconds for bucket in buckets})

    def holds(self, start: float, seq: int) -> bool:
        """Whether what came with this arrival into the shortest bucket that begins at `start` is among it."""
        places = ((length, bucket_of(start, length)) for length in self._lengths)
        found = (self._by_place[place] for place in places if place in self._by_place)
        return any(bucket.covers(start, seq) for bucket in found)


class Profiles:
    """Reads what is stored, and makes what is not."""

    def __init__(self, engine: Engine, model: str, every: float, reference: StoredReference) -> None:
        self._engine, self._model, self._every = engine, model, every
        self._grain, self._levels = grain(every), levels(every)
        self.reference, self.binning = reference, reference.reference.binning
        self._stack = Stack(self.binning)

    def of(self, window: Window, seq: int, segment: str = WHOLE) -> FoundProfiles:
        """The merge of all that is known of the window as of arrival `seq`. Raises ValueError for a window that does
        not consist of whole buckets."""
        if window.start % self._grain or window.end % self._grain:
            raise ValueError(f"{window} does not consist of whole buckets of {self._grain:g} s")
        # One transaction is one state of the store: roll-ups take the place of profiles while others read.
        with self._engine.connect() as connection:
            chosen, loose = self._cover(connection, window, seq, segment)
            merged = self._stack.merged(self._read(connection, chosen, loose, segment))
            if segment != WHOLE:  # a chunk without rows of a segment has no profile of it, but its dimension's mark
                chosen, loose = self._cover(connection, window, seq, mark_of(segment))
            return FoundProfiles(merged, self._missing(connection, window, seq, chosen, loose))

    def missing(self, window: Window, seq: int) -> list[int]:
        """The window's chunks without a profile under this binning, in the order in which they came."""
        with self._engine.connect() as connection:
            return self._missing(connection, window, seq, *self._cover(connection, window, seq, WHOLE))

    def _cover(
        self, connection: Connection, window: Window, seq: int, segment: str
    ) -> tuple[list[Bucket], list[LooseChunk]]:
        """The roll-ups, and the profiles that they don't hold, that together are the window."""
        chosen = cover(window, self.rolled(connection, window, seq, segment), seq)
        held = HeldRollups(chosen)
        loose = self.loose(connection, window, seq, segment)
        return chosen, [item for item in loose if not held.holds(item.start, item.seq)]

    def rolled(self, connection: Connection, window: Window, seq: int, segment: str) -> list[Bucket]:
        """The roll-ups that begin in the window, as of the position."""
        here = rollups.c
        query = select(here.start, here.seconds, here.seq).where(
            *self.own(segment),
            here.seconds.in_(self._levels),
            here.start >= window.start,
            here.start < window.end,
            here.seq <= seq,
        )
        return [Bucket(row.start, row.seconds, row.seq) for row in connection.execute(query)]

    def loose(self, connection: Connection, window: Window, seq: int, segment: str) -> list[LooseChunk]:
        """The chunks' profiles in the window, as of the position, in the order in which they came."""
        here = profiles.c
        query = select(here.chunk_id, here.bucket_start, here.seq).where(
            here.model == self._model,
            here.binning_id == self.reference.id,
            here.segment == segment,
            here.bucket_start >= window.start,
            here.bucket_start < window.end,
            here.seq <= seq,
        )
        rows = connection.execute(query.order_by(here.bucket_start, here.seq, here.chunk_id))
        return [LooseChunk(row.chunk_id, row.bucket_start, row.seq) for row in rows]

    def make(self, id_: int) -> Profile | None:
        """Profiles a chunk's rows and stores that; None where the chunk is gone."""
        made = self._make(id_, None)
        return made[0] if made else None

    def make_segments(self, id_: int, dimension: Dimension) -> list[Profile]:
        """Profiles a chunk's rows of each segment and stores that; empty where the chunk is gone."""
        return self._make(id_, dimension) or []

    def _make(self, id_: int, dimension: Dimension | None) -> list[Profile] | None:
        here = chunks.c
        columns = (here.model, here.bucket_start, here.seq, here.version, here.codec, here.payload)
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns).where(chunks.c.id == id_)).one_or_none()
        if row is None:
            return None
        frame = decode(row.payload, row.codec, self.reference.reference.schema)
        if self.reference.version is not None and row.version is None:
            frame = model_versions.only(frame, self.reference.version)
        frame = fitted(frame, self.binning)
        common: dict[str, Any] = {"chunk_id": id_, "binning_id": self.reference.id}
        common |= {"model": row.model, "bucket_start": row.bucket_start, "seq": row.seq, "codec": PROFILE_CODEC}
        found = [profile(frame, self.binning)] if dimension is None else told_apart(frame, self.binning, dimension)
        keys = (WHOLE,) if dimension is None else dimension.keys
        values = [{**common, **parts} for parts in stored(keys, found)]
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        with writing(self._engine).begin() as connection:
            connection.execute(dialect.insert(profiles).on_conflict_do_nothing(), values)
        return found

    def read(self, found: FoundProfiles) -> Profile:
        """What was found, as an object."""
        return Profile.from_bytes(found.payload, self.binning)

    def _missing(
        self, connection: Connection, window: Window, seq: int, chosen: Sequence[Bucket], loose: Sequence[LooseChunk]
    ) -> list[int]:
        held, there = HeldRollups(chosen), {item.chunk_id for item in loose}
        here = chunks.c
        query = select(here.id, here.bucket_start, here.seq).where(
            here.model == self._model,
            # The index knows windows; their buckets are then compared in it.
            here.window_start > window.start - self._every,
            here.window_start < window.end,
            here.bucket_start >= window.start,
            here.bucket_start < window.end,
            here.seq <= seq,
        )
        if self.reference.version is not None:
            query = query.where(or_(here.version == self.reference.version, here.version.is_(None)))
        rows = connection.execute(query.order_by(here.seq, here.id))
        return [row.id for row in rows if row.id not in there and not held.holds(row.bucket_start, row.seq)]

    def _read(
        self, connection: Connection, chosen: Sequence[Bucket], loose: Sequence[LooseChunk], segment: str
    ) -> Iterator[bytes]:
        key = tuple_(rollups.c.seconds, rollups.c.start, rollups.c.seq)
        for start in range(0, len(chosen), AT_ONCE):
            keys = [(bucket.seconds, bucket.start, bucket.seq) for bucket in chosen[start : start + AT_ONCE]]
            query = select(rollups.c.payload).where(*self.own(segment), key.in_(keys))
            yield from connection.scalars(query.order_by(rollups.c.start))
        own = and_(profiles.c.binning_id == self.reference.id, profiles.c.segment == segment)
        for start in range(0, len(loose), AT_ONCE):
            these = profiles.c.chunk_id.in_([item.chunk_id for item in loose[start : start + AT_ONCE]])
            query = select(profiles.c.payload).where(own, these)
            yield from connection.scalars(query.order_by(profiles.c.chunk_id))

    def own(self, segment: str) -> tuple[ColumnElement[bool], ...]:
        """What the roll-ups of a segment are found by."""
        return (
            rollups.c.model == self._model,
            rollups.c.binning_id == self.reference.id,
            rollups.c.segment == segment,
        )
