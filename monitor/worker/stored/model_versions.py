"""Which version of the model a row is of: its own column, '' where it gives none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, func, select

from checks.base import Window
from checks.data.arrow import Bools, encoded, int_array
from monitor.store.tables import chunks
from monitor.worker.stored.chunks import Ints, decode

MOST = 8
"""Versions of one portion of the log that get chunks of their own; more share chunks, and are told apart by row."""
LONGEST = 200
"""Characters of a version that a chunk can name."""


def codes(values: Sequence[str | None] | None, rows: int) -> tuple[Ints, list[str | None]]:
    """Row by row the place of its version, and the versions; a single None where there are too many for chunks of
    their own."""
    if values is None:
        return np.zeros(rows, np.int64), [""]
    places: dict[str, int] = {}
    found = np.array([places.setdefault(value or "", len(places)) for value in values], np.int64)
    if len(places) > MOST or any(len(name) > LONGEST for name in places):
        return np.zeros(rows, np.int64), [None]
    return found, list(places)


def rows_of(frame: pa.Table, version: str) -> Bools:
    """The rows of this version."""
    if "version" not in frame.column_names:
        return np.full(frame.num_rows, version == "", np.bool_)
    places, names = encoded(frame["version"])
    wanted = [place for place, name in enumerate(names) if _short(name) == version]
    if version == "":
        wanted.append(-1)
    return np.isin(places, wanted)


def only(frame: pa.Table, version: str) -> pa.Table:
    """The frame's rows of this version."""
    return frame.take(int_array(np.flatnonzero(rows_of(frame, version))))


def count(engine: Engine, model: str, window: Window, seq: int) -> dict[str, int]:
    """Rows of each version in the window as of the position. Chunks that hold several are looked into."""
    inside = (chunks.c.model == model, chunks.c.window_start == window.start, chunks.c.seq <= seq)
    with engine.connect() as connection:
        told = connection.execute(
            select(chunks.c.version, func.sum(chunks.c.n))
            .where(*inside, chunks.c.version.is_not(None))
            .group_by("version")
        ).all()
        mixed = connection.execute(
            select(chunks.c.payload, chunks.c.codec).where(*inside, chunks.c.version.is_(None))
        ).all()
    found = {str(version): int(n) for version, n in told}
    for row in mixed:
        frame = decode(row.payload, row.codec, None, {"id", "version"})
        for name in _names(frame):
            found[name] = found.get(name, 0) + int(np.count_nonzero(rows_of(frame, name)))
    return found


def main_of(counts: dict[str, int]) -> str | None:
    """The version that most rows are of, of two with as many the one that sorts last; None without rows."""
    return max(counts, key=lambda name: (counts[name], name)) if counts else None


def _names(frame: pa.Table) -> list[str]:
    if "version" not in frame.column_names:
        return [""]
    places, names = encoded(frame["version"])
    return sorted({_short(names[place]) if place >= 0 else "" for place in np.unique(places).tolist()})


def _short(name: object) -> str:
    """As far as it is looked at."""
    return str(name or "")[:LONGEST]
