"""The reference cut into its own consecutive windows: what normal windows look like, each against all the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from checks.data.arrow import Bools, Codes, Floats, Ints, encoded, floats, valid
from checks.drift.binned_rows import BinnedRows

FEWEST_ROWS = 50  # a window with fewer says nothing about a distribution
FEWEST = 8  # windows from which a spread can be learned
SPANS = {86_400.0: FEWEST, 7 * 86_400.0: 4}
"""Stretches in which seasons have had their turn, seconds, and how many of them a spread is learned from: of weeks a
reference has few, and what they leave open the limit is the wider for."""


@dataclass(frozen=True, slots=True)
class ReferenceWindows:
    """Each row's window, by its place in time; -1 for rows of windows with too few rows to tell anything."""

    place: Codes
    rows: Ints
    """Rows of each window."""

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def typical(self) -> float:
        """Rows of the median window."""
        return float(np.median(self.rows))


def spans(time: pa.ChunkedArray, every: float, min_rows: int) -> dict[float, ReferenceWindows]:
    """The reference's days and weeks, from its first row on: those that windows of `every` seconds make up, where there
    are enough."""
    seconds, present = floats(time)
    if not present.any():
        return {}
    begin = float(seconds[present].min())
    lengths = {length: fewest for length, fewest in SPANS.items() if length > every and length % every == 0}
    found = {length: cut(time, length, min_rows, begin, fewest) for length, fewest in lengths.items()}
    return {length: blocks for length, blocks in found.items() if blocks is not None}


def cut(
    time: pa.ChunkedArray, every: float, min_rows: int, begin: float = 0.0, fewest: int = FEWEST
) -> ReferenceWindows | None:
    """Windows of `every` seconds, aligned like live ones unless they are to `begin` elsewhere; None where there are
    fewer than can be learned from.

    Those with fewer than `min_rows`, which drift would not judge, are left out unless too few remain. The first and
    last, which the reference may hold in part, count only if they are about as full as the others.
    """
    seconds, present = floats(time)
    numbers = np.where(present, np.floor((seconds - begin) / every), 0).astype(np.int64)
    distinct, place, rows = np.unique(numbers, return_inverse=True, return_counts=True)
    if not present.all():
        rows = np.bincount(place[present], minlength=len(distinct))
    enough = rows >= max(min_rows, FEWEST_ROWS)
    if int(enough.sum()) < fewest:
        enough = rows >= FEWEST_ROWS
    middle = float(np.median(rows[enough])) if enough.any() else 0.0
    for end in (0, -1):
        enough[end] &= rows[end] >= 0.8 * middle
    if int(enough.sum()) < fewest:
        return None
    renumbered = np.where(enough, np.cumsum(enough) - 1, -1).astype(np.int32)
    return ReferenceWindows(np.where(present, renumbered[place], np.int32(-1)), rows[enough])


def windowed(
    column: pa.ChunkedArray, codes: Codes, size: int, blocks: ReferenceWindows, *, numeric: bool
) -> BinnedRows:
    """The rows of each window (first axis), counted by their places among `size` entries; numbers with their sums."""
    keep = (codes >= 0) & (blocks.place >= 0)
    cells = blocks.place[keep].astype(np.int64) * size + codes[keep]
    shape = blocks.count, size
    counts = np.bincount(cells, minlength=blocks.count * size).reshape(shape)
    if not numeric:
        return BinnedRows(counts)
    sums: Floats = np.bincount(cells, floats(column)[0][keep], blocks.count * size).astype(np.float64)
    return BinnedRows(counts, sums.reshape(shape))


def hits(rows: Bools, blocks: ReferenceWindows) -> Ints:
    """Rows that are true, by window."""
    keep = rows & (blocks.place >= 0)
    return np.bincount(blocks.place[keep], minlength=blocks.count)


def strangers(column: pa.ChunkedArray, blocks: ReferenceWindows) -> Ints:
    """Rows of each window whose category no other row of the reference has: new, had the window not been there."""
    codes, names = encoded(column)
    total = np.bincount(codes[codes >= 0], minlength=len(names))
    rare = np.flatnonzero((total > 0) & (total <= int(blocks.rows.max(initial=0))))
    found = np.zeros(blocks.count, np.int64)
    keep = (codes >= 0) & (blocks.place >= 0)
    keep[keep] &= np.isin(codes[keep], rare)
    pairs, counts = np.unique(codes[keep].astype(np.int64) * blocks.count + blocks.place[keep], return_counts=True)
    names_of, places = pairs // blocks.count, pairs % blocks.count
    alone = counts == total[names_of]
    np.add.at(found, places[alone], counts[alone])
    return found


def outsiders(column: pa.ChunkedArray, blocks: ReferenceWindows) -> Ints:
    """Rows of each window outside the range of all other rows: only windows that hold an end of it can have any."""
    values, present = floats(column)
    good = present & np.isfinite(values)
    found = np.zeros(blocks.count, np.int64)
    if not good.any():
        return found
    for side in (values, -values):
        least = int(np.flatnonzero(good)[np.argmin(side[good])])
        place = int(blocks.place[least])
        others = good & (blocks.place != place)
        if place >= 0 and others.any():
            inside = good & (blocks.place == place)
            found[place] += int(np.count_nonzero(side[inside] < side[others].min()))
    return found


def missing(column: pa.ChunkedArray, number: bool) -> Bools:
    """Rows without a value; in numbers NaN counts as none."""
    if not number:
        return ~valid(column)
    values, present = floats(column)
    return ~present | np.isnan(values)
