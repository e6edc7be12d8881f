"""Hellinger distance of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.methods.method import Method, over_bins
from checks.drift.methods.proportions import shares


def hellinger(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """√(½ Σ (√p − √q)²) over the last axis: 0 … 1; a metric. Hellinger (1909).

    >>> float(hellinger([1, 1], [1, 1])), float(hellinger([1, 0], [0, 1]))
    (0.0, 1.0)
    """
    distance: npt.NDArray[np.float64] = np.sqrt(_terms(shares(reference), shares(current)).sum(axis=-1) / 2)
    return distance


def _terms(before: Floats, now: Floats) -> Floats:
    terms: Floats = np.square(np.sqrt(now) - np.sqrt(before))
    return terms


METHOD = Method(over_bins(hellinger), floor=0.1, scale="square", terms=_terms)
