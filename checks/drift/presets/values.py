"""A column's rows as the presets take them: numbers, or counts of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from checks.data.arrow import Codes, Floats, Ints, encoded, floats

Column: TypeAlias = pa.Array | pa.ChunkedArray


@dataclass(frozen=True, slots=True)
class Categories:
    """Rows of categories as places in `names`, which are sorted; -1 where there is none."""

    codes: Codes
    names: tuple[Any, ...]

    @property
    def counts(self) -> Ints:
        """Rows of each name."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))

    @property
    def present(self) -> int:
        return int(np.count_nonzero(self.codes >= 0))

    def rows(self, start: int, end: int) -> Categories:
        return Categories(self.codes[start:end], self.names)

    def tally(self) -> dict[Any, int]:
        """Count by name, of those that occur."""
        counts = self.counts
        return {self.names[place]: int(counts[place]) for place in np.flatnonzero(counts)}


def numbers(column: Column) -> Floats:
    """The column's rows as float64, NaN where there is no value."""
    values, present = floats(column)
    return values if present.all() else np.where(present, values, np.nan)


def categories(column: Column) -> Categories:
    """The column's rows by its sorted distinct values; NaN among them is no value. Raises TypeError for values that
    have no order."""
    codes, names = encoded(column)
    order = sorted((place for place, name in enumerate(names) if not _absent(name)), key=lambda place: names[place])
    places = np.full(len(names) + 1, -1, np.int32)  # the last is that of a missing row, whose code is -1
    places[order] = np.arange(len(order), dtype=np.int32)
    return Categories(places[codes], tuple(names[place] for place in order))


def tally(values: Floats) -> dict[float, int]:
    """Count by distinct value."""
    distinct, counts = np.unique(values, return_counts=True)
    return dict(zip(distinct.tolist(), counts.tolist(), strict=True))


def paired(reference: Mapping[Any, int], current: Mapping[Any, int]) -> tuple[Ints, Ints]:
    """Both counts over the sorted values of either."""
    keys = sorted(reference.keys() | current.keys())
    sides = [np.array([side.get(key, 0) for key in keys], np.int64) for side in (reference, current)]
    return sides[0], sides[1]


def distinct_above(reference: Floats, current: Floats, most: int) -> bool:
    """Whether both together have more than `most` distinct values; a look at the first rows is mostly enough."""
    head = np.concatenate((reference[:1000], current[:1000]))
    if len(np.unique(head)) > most:
        return True
    return len(np.unique(np.concatenate((np.unique(reference), np.unique(current))))) > most


def _absent(name: Any) -> bool:
    return name is None or name != name
