"""Kolmogorov–Smirnov statistic of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.drift.methods.method import Method
from checks.drift.methods.proportions import shares


def ks(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """max |F − G| at the ends of ordered bins, over the last axis: 0 … 1.

    A lower bound of the statistic of the rows: within a bin the difference may go further (`ks_bound`).

    >>> float(ks([50, 50, 0], [20, 50, 30]))
    0.3
    """
    apart = np.cumsum(shares(reference) - shares(current), axis=-1)
    distance: npt.NDArray[np.float64] = np.abs(apart).max(axis=-1)
    return distance


def ks_bound(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[float, float]:
    """Between which values the statistic of the rows lies, for one window.

    In a bin from a to b no F − G is larger than F(b) − G(a), nor smaller than F(a) − G(b): both only grow.

    >>> low, high = ks_bound([50, 50], [20, 80])
    >>> round(low, 9), round(high, 9)
    (0.3, 0.8)
    """
    p, q = shares(reference), shares(current)
    before, now = np.cumsum(p), np.cumsum(q)
    # Where one side has no row in the bin, the difference is largest at one of its ends.
    both = (p > 0) & (q > 0)
    further = np.maximum(before - (now - q), now - (before - p))[both]
    low = float(ks(reference, current))
    return low, min(max(low, float(further.max(initial=0.0))), 1.0)


METHOD = Method(
    lambda _, reference, current: ks(reference.counts, current.counts),
    floor=0.1,
    scale="square",
    categorical=False,
    bound=lambda _, reference, current, _low, _high: ks_bound(reference.counts, current.counts),
)
