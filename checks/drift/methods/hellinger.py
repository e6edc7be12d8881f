"""Hellinger distance of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.drift.methods.proportions import shares


def hellinger(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """√(½ Σ (√p − √q)²) over the last axis: 0 … 1; a metric. Hellinger (1909).

    >>> float(hellinger([1, 1], [1, 1])), float(hellinger([1, 0], [0, 1]))
    (0.0, 1.0)
    """
    apart = np.sqrt(shares(reference)) - np.sqrt(shares(current))
    distance: npt.NDArray[np.float64] = np.sqrt((apart * apart).sum(axis=-1) / 2)
    return distance
