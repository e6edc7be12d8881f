"""What a drift method sees: rows of one window, or of many, counted under a column's frozen bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from checks.data.arrow import Floats, Ints
from checks.profile import CategoryBins, CategoryColumn, NumberBins, NumberColumn


@dataclass(frozen=True, slots=True)
class BinnedRows:
    """Counts over the last axis, one an entry of the bins; earlier axes are windows."""

    counts: Ints
    sums: Floats | None = None
    """The values' sum in each entry; None for categories."""

    @classmethod
    def of(cls, column: NumberColumn | CategoryColumn) -> BinnedRows:
        return cls(column.counts, column.sums if isinstance(column, NumberColumn) else None)

    @property
    def n(self) -> Ints:
        """Rows of each window."""
        return np.asarray(self.counts.sum(axis=-1))

    def without(self, other: BinnedRows) -> BinnedRows:
        """These rows but for those of the other, window by window."""
        sums = None if self.sums is None or other.sums is None else self.sums - other.sums
        return BinnedRows(self.counts - other.counts, sums)

    def chosen(self, windows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> BinnedRows:
        """Some of the windows."""
        return BinnedRows(self.counts[windows], None if self.sums is None else self.sums[windows])


@dataclass(frozen=True, slots=True)
class BinnedReference:
    """A column's bins, and what a method needs to know of the whole reference."""

    bins: NumberBins | CategoryBins
    counts: Ints
    std: float = 0.0
    """Of the reference's values (ddof 0)."""

    @classmethod
    def of(cls, bins: NumberBins | CategoryBins, column: NumberColumn | CategoryColumn) -> BinnedReference:
        return cls(bins, column.counts, column.std if isinstance(column, NumberColumn) else 0.0)

    @property
    def numeric(self) -> bool:
        return isinstance(self.bins, NumberBins)

    @property
    def values(self) -> int:
        """Bins in which the reference has rows."""
        return int(np.count_nonzero(self.bins.inner(self.counts)))

    @property
    def edges(self) -> Floats:
        """Where one entry of the counts ends and the next begins."""
        return np.array(self.bins.edges if isinstance(self.bins, NumberBins) else ())
