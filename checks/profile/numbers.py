"""A numeric column's rows in counts, sums and moments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from checks.arrow import Floats, Ints, spans
from checks.profile.binning import NumberBins

SPAN = 65_536  # values sorted at a time: they stay in the cache, which is four times faster than one large sort
HUGE = 1e100  # squares of larger values overflow


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A numeric column's rows: `counts` as in NumberBins; sums, moments and range over finite values.

    Counts, range and zeros are exact, sums and moments within floating tolerance whatever the order of merging.
    """

    missing: int
    nan: int
    infinite: int
    mismatched: int
    counts: Ints
    low: float = np.inf
    high: float = -np.inf
    mean: float = 0.0
    m2: float = 0.0
    """Sum of squared distances from the mean."""
    zeros: int = 0
    sums: Floats = field(default_factory=_none)
    """Of the values in each entry of `counts`. Not finite where they pass the largest float."""

    @property
    def finite(self) -> int:
        return int(self.counts.sum())

    @property
    def std(self) -> float:
        """Standard deviation of the population (ddof 0); 0 without values."""
        return float(np.sqrt(self.m2 / self.finite)) if self.finite else 0.0


def no_numbers(bins: NumberBins, missing: int = 0, mismatched: int = 0) -> NumberColumn:
    """The column of rows without a value."""
    return NumberColumn(missing, 0, 0, mismatched, np.zeros(bins.size, np.int64), sums=np.zeros(bins.size))


def numbers(column: pa.ChunkedArray | pa.Array, bins: NumberBins, mismatched: int) -> NumberColumn:
    """The column of these rows, of which `mismatched` are null for being of another type."""
    made = no_numbers(bins, column.null_count - mismatched, mismatched)
    edges = np.array(bins.edges)
    for part in spans(column, SPAN):
        # Infinities and NaN are then at the ends, so no pass over the values is needed to find them.
        made = merged_numbers(made, _sorted_column(np.sort(part).astype(np.float64, copy=False), edges))
    return made


def _sorted_column(ordered: Floats, edges: Floats) -> NumberColumn:
    start, end, nan, infinite = 0, len(ordered), 0, 0
    if not np.isfinite(ordered[-1]):
        reached = int(np.searchsorted(ordered, np.inf, "right"))
        nan, end = len(ordered) - reached, int(np.searchsorted(ordered, np.inf, "left"))
        infinite = reached - end
    if ordered[0] == -np.inf:
        start = int(np.searchsorted(ordered, -np.inf, "right"))
        infinite += start
    return _column(ordered[start:end], edges, nan, infinite)


def _column(ordered: Floats, edges: Floats, nan: int, infinite: int) -> NumberColumn:
    size = max(len(edges) - 1, 0) + 2
    if not len(ordered):
        return NumberColumn(0, nan, infinite, 0, np.zeros(size, np.int64), sums=np.zeros(size))
    if len(edges):
        places = np.searchsorted(ordered, edges, "left")
        counts = np.diff(places, prepend=0, append=len(ordered))
    else:  # the reference had no value to bin by
        places, counts = np.zeros(1, np.int64), np.array([len(ordered), 0])
    sums = _sums(ordered, np.concatenate(([0], places)), counts)
    low, high = float(ordered[0]), float(ordered[-1])
    zeros = (
        int(np.searchsorted(ordered, 0.0, "right") - np.searchsorted(ordered, 0.0, "left")) if low <= 0 <= high else 0
    )
    mean, m2 = _moments(ordered)
    return NumberColumn(0, nan, infinite, 0, counts, low, high, mean, m2, zeros, sums)


def _sums(ordered: Floats, starts: Ints, counts: Ints) -> Floats:
    sums = np.zeros(len(counts))
    held = counts > 0  # of an empty slice `reduceat` gives the next value
    with np.errstate(over="ignore", invalid="ignore"):
        sums[held] = np.add.reduceat(ordered, starts[: len(counts)][held])
    return sums


def _moments(ordered: Floats) -> tuple[float, float]:
    scale = max(abs(float(ordered[0])), abs(float(ordered[-1])))
    if scale < HUGE:
        scale = 1.0
    centred = ordered / scale if scale != 1.0 else ordered
    mean = float(centred.mean())
    centred = centred - mean
    np.square(centred, out=centred)
    return mean * scale, float(centred.sum()) * scale * scale


def merged_numbers(a: NumberColumn, b: NumberColumn) -> NumberColumn:
    """The column of both columns' rows. Moments: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm
    for Computing Sample Variances (1979)."""
    left, right = a.finite, b.finite
    if left == 0 or right == 0:
        mean, m2 = (b.mean, b.m2) if left == 0 else (a.mean, a.m2)
    else:
        share = right / (left + right)
        apart = b.mean - a.mean
        mean = a.mean * (left / (left + right)) + b.mean * share
        m2 = a.m2 + b.m2 + apart * apart * left * share
    with np.errstate(over="ignore", invalid="ignore"):
        sums = a.sums + b.sums
    return NumberColumn(
        a.missing + b.missing,
        a.nan + b.nan,
        a.infinite + b.infinite,
        a.mismatched + b.mismatched,
        a.counts + b.counts,
        min(a.low, b.low),
        max(a.high, b.high),
        mean,
        m2,
        a.zeros + b.zeros,
        sums,
    )
