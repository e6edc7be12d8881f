"""L-infinity distance of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.drift.methods.method import Method, over_bins
from checks.drift.methods.proportions import shares


def l_infinity(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """max |p − q| over the last axis: 0 … 1, the largest change of any one bin's share; a metric.

    >>> float(l_infinity([50, 50, 0], [40, 50, 10]))
    0.1
    """
    distance: npt.NDArray[np.float64] = np.abs(shares(reference) - shares(current)).max(axis=-1)
    return distance


METHOD = Method(over_bins(l_infinity), floor=0.1, scale="square")
