"""Population stability index of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.drift.methods.proportions import shares

EMPTY = 1e-4


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Σ (p − q) ln(p / q) over the last axis; counts in, 0 for equal shares, unbounded above.

    An empty bin's share becomes 0.0001, as in Evidently's `psi`, with which this agrees on the same bins (as long as
    no bin that holds rows has a smaller share than that). Siddiqi, Credit Risk Scorecards (2006).

    >>> float(psi([50, 50], [50, 50])), round(float(psi([50, 50], [80, 20])), 4)
    (0.0, 0.4159)
    """
    p, q = _filled(reference), _filled(current)
    distance: npt.NDArray[np.float64] = ((q - p) * np.log(q / p)).sum(axis=-1)
    return distance


def _filled(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    own = shares(counts)
    return np.where(own == 0, EMPTY, own)
