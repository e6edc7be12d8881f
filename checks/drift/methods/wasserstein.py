"""Wasserstein distance of binned counts and sums."""

from __future__ import annotations

import numpy as np

from checks.data.arrow import Floats
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.methods.method import Method
from checks.drift.methods.proportions import shares

LEAST_STD = 0.001  # Evidently divides by no smaller standard deviation


def wasserstein(edges: Floats, std: float, reference: BinnedRows, current: BinnedRows) -> Floats:
    """∫ |F − G| / max(std, 0.001) over the last axis, as near as counts and sums tell: Σ |∫ (F − G)| over the entries.

    The integral over an entry is exact: ∫ F over [a, b) is b F(b) − a F(a) − (sum of the values there) / n, and its
    limits below the first and above the last edge are finite. So the sum is a lower bound of the distance of the rows,
    and equals it wherever F − G keeps its sign within each entry (`wasserstein_bound`). Divided like Evidently's.
    Vallender, Calculation of the Wasserstein distance between probability distributions on the line (1974).
    """
    distance: Floats = np.abs(_areas(edges, reference, current)).sum(axis=-1) / max(std, LEAST_STD)
    return distance


def wasserstein_bound(
    edges: Floats, std: float, reference: BinnedRows, current: BinnedRows, low: float, high: float
) -> Floats:
    """Between which values the distance of the rows lies, for one window whose values, like the reference's, lie
    between `low` and `high`.

    In an entry from a to b, write h = F − G, and h⁺, h⁻ for the integrals of its positive and negative part: then
    ∫ |h| = |∫ h| + 2 min(h⁺, h⁻), and each part is bounded because F and G only grow (`_part`). Another bound goes by
    way of all rows of an entry at their mean: from there to the rows it is at most 2 p (m − a) (b − m) / (b − a) for a
    share p with the mean m, which is the case of all rows at the ends.
    """
    area = _areas(edges, reference, current)
    ends = np.concatenate(([min(low, edges[0])], edges, [max(high, edges[-1])]))
    f, g = _Steps.of(ends, reference), _Steps.of(ends, current)
    crossing = np.abs(area) + 2 * np.minimum(_part(f, g), _part(g, f))
    means = _between_means(f, g) + f.spread + g.spread
    upper = np.maximum(np.abs(area), np.minimum(crossing, means))
    norm = max(std, LEAST_STD)
    return np.array([np.abs(area).sum() / norm, upper.sum() / norm])


class _Steps:
    """One window's distribution within each entry: from `left` it rises by `share`, `area` above its left end."""

    def __init__(self, ends: Floats, share: Floats, mean: Floats) -> None:
        self.a, self.b = ends[:-1], ends[1:]
        self.width = self.b - self.a
        self.share, self.mean = share, np.clip(mean, self.a, self.b)
        self.right = np.cumsum(share)
        self.left = self.right - share
        self.area = share * (self.b - self.mean)
        inside = np.where(self.width > 0, self.width, 1.0)
        self.spread = 2 * share * (self.mean - self.a) * (self.b - self.mean) / inside

    @classmethod
    def of(cls, ends: Floats, rows: BinnedRows) -> _Steps:
        assert rows.sums is not None
        empty = rows.counts == 0
        mean = np.where(empty, ends[:-1], rows.sums / np.where(empty, 1, rows.counts))
        return cls(ends, shares(rows.counts), mean)


def _part(f: _Steps, g: _Steps) -> Floats:
    """The most that ∫ (F − G)⁺ can be in each entry: F ≤ F(b), and G ≥ G(a), and both have their areas."""
    first = np.maximum(f.left - g.left, 0.0) * f.width + f.area
    last = np.maximum(f.right - g.right, 0.0) * f.width + g.share * f.width - g.area
    most: Floats = np.minimum(np.minimum(first, last), np.maximum(f.right - g.left, 0.0) * f.width)
    return most


def _between_means(f: _Steps, g: _Steps) -> Floats:
    """∫ |F − G| if all rows of an entry were at their mean."""
    start, end = np.minimum(f.mean, g.mean), np.maximum(f.mean, g.mean)
    # Between the two means only the one whose mean is lower has risen.
    between = np.where(f.mean < g.mean, np.abs(f.right - g.left), np.abs(f.left - g.right))
    found: Floats = (
        np.abs(f.left - g.left) * (start - f.a) + between * (end - start) + np.abs(f.right - g.right) * (f.b - end)
    )
    return found


def _areas(edges: Floats, reference: BinnedRows, current: BinnedRows) -> Floats:
    """∫ (F − G) over each entry, windows on the earlier axes."""
    # Around a middle edge, so that values far from 0 cost no digits.
    middle = edges[len(edges) // 2]
    apart = np.cumsum(shares(reference.counts) - shares(current.counts), axis=-1)[..., :-1] * (edges - middle)
    ends = np.zeros((*apart.shape[:-1], 1))
    rise = np.diff(np.concatenate((ends, apart, ends), axis=-1), axis=-1)
    areas: Floats = rise - (_moments(reference, middle) - _moments(current, middle))
    return areas


def _moments(rows: BinnedRows, middle: float) -> Floats:
    """Each entry's part of the mean, from `middle`."""
    assert rows.sums is not None
    parts: Floats = (rows.sums - middle * rows.counts) / rows.counts.sum(axis=-1, keepdims=True)
    return parts


def _distance(ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    return wasserstein(ground.edges, ground.std, reference, current)


def _bound(
    ground: BinnedReference, reference: BinnedRows, current: BinnedRows, low: float, high: float
) -> tuple[float, float]:
    found = wasserstein_bound(ground.edges, ground.std, reference, current, low, high)
    return float(found[0]), float(found[1])


METHOD = Method(_distance, floor=0.1, scale="square", categorical=False, sums=True, bound=_bound)
