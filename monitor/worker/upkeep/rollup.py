"""Makes roll-ups of what has been judged, and removes what they hold: docs/decisions/0006-rollups.md.

Every transaction stands for itself: cut short anywhere, the next run goes on from what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, union

from checks.base import Window
from monitor.store.buckets import Bucket, bucket_of, levels
from monitor.store.engine import writing
from monitor.store.tables import profiles, progress, rollups, windows
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.profiles import ALL_TIME, PROFILE_CODEC, LooseChunk, Profiles
from monitor.worker.stored.references import in_force
from monitor.worker.upkeep.retention import BYTES, remove

KEYS = 500
"""Chunks whose profiles are removed by one statement."""
Seqs = dict[tuple[int, float], int]
"""Position of the roll-up by length and start of its bucket."""


@dataclass(frozen=True, slots=True)
class MadeRollup:
    """A roll-up to be stored."""

    bucket: Bucket
    n: int
    payload: bytes


def roll(engine: Engine, model: str, options: ModelOptions) -> int:
    """Rolls one model's profiles under the binnings in force up, as of the last closing that is judged; returns how
    many roll-ups were made."""
    with engine.connect() as connection:
        references = in_force(connection, model)
        here = and_(progress.c.model == windows.c.model, progress.c.judged_window == windows.c.end)
        query = select(windows.c.end, windows.c.close_seq).join(progress, here).where(windows.c.model == model)
        judged = connection.execute(query).one_or_none()
    if judged is None:
        return 0
    count = 0
    for reference in references:
        store = Profiles(engine, model, options.every, reference)
        rolling = Rollup(engine, model, store, levels(options.every), judged.end, judged.close_seq)
        count += sum(rolling.run(segment) for segment in rolling.segments())
    return count


@dataclass(frozen=True)
class Rollup:
    """Roll-ups of what came up to arrival `seq` into buckets that end by `end`. No question is asked any more as of an
    earlier position, so a new roll-up takes the place of an older one."""

    engine: Engine
    model: str
    store: Profiles
    levels: Sequence[int]
    end: float
    seq: int

    def segments(self) -> Sequence[str]:
        """Those that have profiles."""
        found = [
            select(table.c.segment).where(table.c.model == self.model, table.c.binning_id == self.store.reference.id)
            for table in (profiles, rollups)
        ]
        with self.engine.connect() as connection:
            return connection.scalars(union(*found)).all()

    def run(self, segment: str) -> int:
        """Returns how many were made."""
        with self.engine.connect() as connection:
            loose = self.store.loose(connection, Window(ALL_TIME.start, self.end), self.seq, segment)
            reached = {level: self._reached(connection, level, segment) for level in self.levels}
            known = self._known(connection, loose, reached, segment)
        count = 0
        for below, level in zip([0, *self.levels], self.levels, strict=False):
            wanted = {self._place(level, item.start) for item in loose if not self._holds(known, level, item)}
            later = {
                self._place(level, start) for seconds, start in known if seconds == below and start >= reached[level]
            }
            places = sorted(place for place in wanted | (later - known.keys()) if sum(place) <= self.end)
            for made in self._packed(self._made(places, segment)):
                self._write(made, segment)
                known.update({(item.bucket.seconds, item.bucket.start): self.seq for item in made})
                count += len(made)
        self._remove([item.chunk_id for item in loose if self._is_held(known, item)], segment)
        return count

    def _reached(self, connection: Connection, level: int, segment: str) -> float:
        """Where the newest roll-up of this length ends: what was whole before had its turn."""
        here = and_(*self.store.own(segment), rollups.c.seconds == level)
        last = connection.scalar(select(func.max(rollups.c.start)).where(here))
        return ALL_TIME.start if last is None else last + level

    def _known(
        self, connection: Connection, loose: Sequence[LooseChunk], reached: Mapping[int, float], segment: str
    ) -> Seqs:
        longest = self.levels[-1] if self.levels else 1
        starts = [*reached.values(), *(bucket_of(item.start, longest) for item in loose)]
        window = Window(min(starts, default=ALL_TIME.start), self.end)
        return {
            (item.seconds, item.start): item.seq for item in self.store.rolled(connection, window, self.seq, segment)
        }

    def _place(self, level: int, start: float) -> tuple[int, float]:
        return level, bucket_of(start, level)

    def _holds(self, known: Seqs, level: int, item: LooseChunk) -> bool:
        return known.get(self._place(level, item.start), 0) >= item.seq

    def _is_held(self, known: Seqs, item: LooseChunk) -> bool:
        """Whether its profile is not needed any more: each whole bucket that it is in has a roll-up with it."""
        whole = [level for level in self.levels if sum(self._place(level, item.start)) <= self.end]
        return bool(whole) and all(self._holds(known, level, item) for level in whole)

    def _made(self, places: Sequence[tuple[int, float]], segment: str) -> Iterator[MadeRollup]:
        for level, start in places:
            found = self.store.of(Window(start, start + level), self.seq, segment)
            # What lacks the rows of a chunk is no roll-up: that chunk would not be missed any more.
            if not found.missing:
                yield MadeRollup(Bucket(start, level, self.seq), found.n, found.payload)

    def _packed(self, made: Iterator[MadeRollup]) -> Iterator[list[MadeRollup]]:
        """In portions of one transaction each."""
        some: list[MadeRollup] = []
        size = 0
        for item in made:
            if some and size + len(item.payload) > BYTES:
                yield some
                some, size = [], 0
            some.append(item)
            size += len(item.payload)
        if some:
            yield some

    def _write(self, made: Sequence[MadeRollup], segment: str) -> None:
        own = {"model": self.model, "binning_id": self.store.reference.id, "segment": segment, "codec": PROFILE_CODEC}
        with writing(self.engine).begin() as connection:
            for item in made:
                here = {"seconds": item.bucket.seconds, "start": item.bucket.start}
                place = and_(*self.store.own(segment), *(rollups.c[name] == value for name, value in here.items()))
                connection.execute(delete(rollups).where(place, rollups.c.seq <= self.seq))
                values = {**own, **here, "seq": self.seq, "n": item.n, "payload": item.payload}
                connection.execute(insert(rollups).values(values))

    def _remove(self, ids: Sequence[int], segment: str) -> None:
        own = and_(profiles.c.binning_id == self.store.reference.id, profiles.c.segment == segment)
        for start in range(0, len(ids), KEYS):
            remove(self.engine, profiles, and_(own, profiles.c.chunk_id.in_(ids[start : start + KEYS])))
