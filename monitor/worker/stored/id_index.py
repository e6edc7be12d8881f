"""Where an id is: the windows whose chunks hold it, found through the chunks' sorted 64-bit hashes."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, select

from checks.data.arrow import floats, int_array, whole
from checks.data.ids import hash_ids
from monitor.store.tables import chunks
from monitor.worker.stored.chunks import Bools, Hashes, Ints, decode

CACHED_HASHES = 8_000_000
NOWHERE = np.iinfo(np.int64).min


class IdIndex:
    """The ids of one model's chunks, by window; windows are counted from the epoch. Reads each window once, and keeps
    at most 64 MB of what it has read."""

    def __init__(self, engine: Engine, model: str, every: float) -> None:
        self._engine, self._model, self._every = engine, model, every
        self._cache: OrderedDict[int, list[Hashes]] = OrderedDict()
        self._cached = 0
        query = select(chunks.c.window_start).where(chunks.c.model == model).distinct()
        with engine.connect() as connection:
            self._known = {round(start / every) for start in connection.scalars(query)}

    def add(self, window: int, hashes: Hashes) -> None:
        """Says that a chunk of this window with these ids has been stored."""
        self._known.add(window)
        if (parts := self._cache.get(window)) is not None:
            self._cached += len(hashes)
            parts.append(np.sort(hashes))
            # Sizes stay at least twice each other, so that there are few parts and each hash is merged a few times.
            while len(parts) > 1 and len(parts[-2]) < 2 * len(parts[-1]):
                parts[-2:] = [np.sort(np.concatenate(parts[-2:]), kind="stable")]

    def seen(self, ids: pa.ChunkedArray, hashes: Hashes, windows: Ints, reach: int) -> Bools:
        """Whether each id is in its row's window, or in one at most `reach` windows from it, earlier or later."""
        found = np.zeros(len(hashes), np.bool_)
        order = np.argsort(hashes)
        hashes, windows = hashes[order], windows[order]
        first, last = int(windows.min()) - reach, int(windows.max()) + reach
        for window in sorted(self._known):
            if first <= window <= last:
                near = np.abs(windows - window) <= reach
                hits = order[near][_isin(hashes[near], self._read(window))]
                if len(hits):
                    found[hits] |= self._holds(window, ids.take(int_array(hits)))
        return found

    def _holds(self, window: int, ids: pa.ChunkedArray) -> Bools:
        """Whether each of these ids, whose hashes are in the window, is there itself."""
        wanted = np.sort(hash_ids(ids))
        found = np.zeros(len(ids), np.bool_)
        query = select(chunks.c.payload, chunks.c.codec, chunks.c.id_hashes).where(
            chunks.c.model == self._model, chunks.c.window_start == window * self._every
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if _isin(wanted, [np.frombuffer(row.id_hashes, "<u8")]).any():
                    there = decode(row.payload, row.codec, None, ["id"])["id"]
                    found |= positions(ids, there) >= 0
        return found

    def latest(self, hashes: Hashes) -> Ints:
        """The latest window that holds each id; NOWHERE for none."""
        found = np.full(len(hashes), NOWHERE, np.int64)
        order = np.argsort(hashes)
        left = hashes[order]
        for window in sorted(self._known, reverse=True):
            if not len(order):
                break
            here = _isin(left, self._read(window))
            found[order[here]] = window
            order, left = order[~here], left[~here]
        return found

    def _read(self, window: int) -> list[Hashes]:
        """The window's hashes, in sorted parts."""
        if (kept := self._cache.get(window)) is not None:
            self._cache.move_to_end(window)
            return kept
        query = select(chunks.c.id_hashes).where(
            chunks.c.model == self._model, chunks.c.window_start == window * self._every
        )
        with self._engine.connect() as connection:
            parts = [np.frombuffer(data, "<u8") for data in connection.scalars(query)]
        hashes: Hashes = np.sort(np.concatenate(parts), kind="stable") if parts else np.empty(0, np.uint64)
        self._cache[window] = [hashes]
        self._cached += len(hashes)
        while self._cached > CACHED_HASHES and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._cached -= sum(map(len, dropped))
        return [hashes]


def first_in_reach(ids: pa.ChunkedArray, hashes: Hashes, windows: Ints, candidates: Bools, reach: int) -> Bools:
    """Which rows stay when an id is kept once within `reach` windows: read in order, the first one wins. Rows that are
    no candidates are not kept and hide nobody."""
    kept = candidates.copy()
    _, position, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(candidates & (counts[position] > 1))
    places: dict[str, list[int]] = defaultdict(list)
    for row, id_ in zip(rows.tolist(), ids.take(int_array(rows)).to_pylist(), strict=True):
        window = int(windows[row])
        if any(abs(window - other) <= reach for other in places[id_]):
            kept[row] = False
        else:
            places[id_].append(window)
    return kept


def positions(ids: pa.ChunkedArray | pa.Array, among: pa.ChunkedArray | pa.Array) -> Ints:
    """Where each id first stands in `among`; -1 where it does not."""
    places, present = floats(pc.index_in(ids, value_set=whole(among)))
    found: Ints = np.where(present, places, -1).astype(np.int64)
    return found


def _isin(needles: Hashes, parts: Iterable[Hashes]) -> Bools:
    """Whether each needle is in one of the sorted parts; fastest for sorted needles."""
    found = np.zeros(len(needles), np.bool_)
    for part in parts:
        if len(part):
            places = np.searchsorted(part, needles)
            places[places == len(part)] = 0
            found |= part[places] == needles
    return found
