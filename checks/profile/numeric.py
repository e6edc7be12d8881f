"""A numeric column's rows in counts, sums and moments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks.data.arrow import Floats, Ints, spans
from checks.profile.binning import NumberBins

SPAN = 65_536  # values worked on at a time: they stay in the cache
MOST_COMPARED = 120  # edges from which on a search is faster
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
        made = merged_numbers(made, _of_span(part.astype(np.float64, copy=False), edges))
    return made


def _of_span(values: Floats, edges: Floats) -> NumberColumn:
    good = np.isfinite(values)
    kept = int(np.count_nonzero(good))
    if kept == len(values):
        return _of_finite(values, edges, 0, 0)
    nan = int(np.count_nonzero(np.isnan(values)))
    return _of_finite(values[good], edges, nan, len(values) - kept - nan)


def _of_finite(values: Floats, edges: Floats, nan: int, infinite: int) -> NumberColumn:
    size = max(len(edges) - 1, 0) + 2
    if not len(values):
        return NumberColumn(0, nan, infinite, 0, np.zeros(size, np.int64), sums=np.zeros(size))
    places = places_of(values, edges).astype(np.intp)
    counts = np.bincount(places, minlength=size)
    with np.errstate(over="ignore", invalid="ignore"):
        sums: Floats = np.bincount(places, values, minlength=size).astype(np.float64, copy=False)
    low, high = float(values.min()), float(values.max())
    zeros = len(values) - int(np.count_nonzero(values)) if low <= 0 <= high else 0
    mean, m2 = _moments(values, max(-low, high))
    return NumberColumn(0, nan, infinite, 0, counts, low, high, mean, m2, zeros, sums)


def places_of(values: Floats, edges: Floats) -> npt.NDArray[Any]:
    """Each value's place in the counts: how many edges are at most as large; as small integers.

    Comparing all values with one edge after the other takes 0.15 ns a value and edge; a search takes 18 ns a value, and
    sorting 36.
    """
    if len(edges) > MOST_COMPARED:
        return np.searchsorted(edges, values, "right")
    places = np.zeros(len(values), np.uint8)
    reached = np.empty(len(values), np.bool_)
    for edge in edges:
        np.greater_equal(values, edge, out=reached)
        np.add(places, reached.view(np.uint8), out=places)
    return places


def _moments(values: Floats, scale: float) -> tuple[float, float]:
    if scale < HUGE:
        scale = 1.0
    centred = values / scale if scale != 1.0 else values
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
