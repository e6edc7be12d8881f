"""Counts as shares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

EMPTY = 1e-4
"""An empty bin's share where a method can't do with 0."""


def shares(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Each count's part of its window's rows, over the last axis."""
    values = np.asarray(counts, np.float64)
    found: npt.NDArray[np.float64] = values / values.sum(axis=-1, keepdims=True)
    return found
