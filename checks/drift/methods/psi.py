"""Population stability index of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.methods.method import Method, over_bins
from checks.drift.methods.proportions import EMPTY, shares


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Σ (p − q) ln(p / q) over the last axis; counts in, 0 for equal shares, unbounded above.

    An empty bin's share becomes 0.0001, as in Evidently's `psi`, with which this agrees on the same bins (as long as
    no bin that holds rows has a smaller share than that). Siddiqi, Credit Risk Scorecards (2006).

    >>> float(psi([50, 50], [50, 50])), round(float(psi([50, 50], [80, 20])), 4)
    (0.0, 0.4159)
    """
    distance: npt.NDArray[np.float64] = _terms(shares(reference), shares(current)).sum(axis=-1)
    return distance


def _terms(before: Floats, now: Floats) -> Floats:
    p, q = np.where(before == 0, EMPTY, before), np.where(now == 0, EMPTY, now)
    terms: Floats = (q - p) * np.log(q / p)
    return terms


METHOD = Method(over_bins(psi), floor=0.1, scale="linear", terms=_terms)
