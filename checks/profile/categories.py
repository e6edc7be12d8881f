"""A text column's rows in counts, with sketches of what has no bin of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa

from checks.data.arrow import Ints, tallied
from checks.profile.binning import CategoryBins
from checks.profile.sketches import distinct_count, distinct_merged, distinct_of, tail_counts, tail_merged, tail_of

EXAMPLES = 20  # new categories told by name


@dataclass(frozen=True, slots=True)
class CategoryColumn:
    """A text column's rows: `counts` as in CategoryBins, exact."""

    missing: int
    mismatched: int
    counts: Ints
    rest: bytes = b""
    """A sketch of the distinct categories without a bin of their own (`checks.profile.sketches`)."""
    tail: bytes = b""
    """A sketch of the frequent new categories."""

    @property
    def present(self) -> int:
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        """Categories: exact to about 190 without a bin of their own; of more, the number of those is within
        `sketches.DISTINCT_ERROR`."""
        return int(np.count_nonzero(self.counts[:-2])) + distinct_count(self.rest)

    @property
    def examples(self) -> Mapping[str, int]:
        """The most frequent new categories, at most EXAMPLES, names cut to 100 characters: exact counts while there
        are up to 48, else lower bounds, too low by `sketches.TAIL_ERROR` of all new ones at most."""
        return dict(islice(tail_counts(self.tail).items(), EXAMPLES))


def no_categories(bins: CategoryBins, missing: int = 0, mismatched: int = 0) -> CategoryColumn:
    """The column of rows without a value."""
    return CategoryColumn(missing, mismatched, np.zeros(bins.size, np.int64))


def categories(column: pa.ChunkedArray | pa.Array, bins: CategoryBins, mismatched: int) -> CategoryColumn:
    """The column of these rows, of which `mismatched` are null for being of another type."""
    tallies = tallied(column)
    counts = np.zeros(bins.size, np.int64)
    other, new = len(bins.own), len(bins.own) + 1
    places = {name: bins.lookup.get(name, new) for name in tallies}
    for name, place in places.items():
        counts[place] += tallies[name]
    unseen = {name: tallies[name] for name, place in places.items() if place == new}
    rest = distinct_of(name for name, place in places.items() if place >= other)
    missing = len(column) - int(counts.sum())
    return CategoryColumn(missing - mismatched, mismatched, counts, rest, tail_of(unseen))


def merged_categories(a: CategoryColumn, b: CategoryColumn) -> CategoryColumn:
    """The column of both columns' rows."""
    return CategoryColumn(
        a.missing + b.missing,
        a.mismatched + b.mismatched,
        a.counts + b.counts,
        distinct_merged(a.rest, b.rest),
        tail_merged(a.tail, b.tail),
    )
