"""Total variation distance of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.drift.methods.method import Method, over_bins
from checks.drift.methods.proportions import shares


def total_variation(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """½ Σ |p − q| over the last axis: 0 … 1, the share of rows that would have to change bins. A metric.

    >>> float(total_variation([50, 50], [80, 20]))
    0.30000000000000004
    """
    distance: npt.NDArray[np.float64] = np.abs(shares(reference) - shares(current)).sum(axis=-1) / 2
    return distance


METHOD = Method(over_bins(total_variation), floor=0.1, scale="square")
