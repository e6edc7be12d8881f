"""Two-proportion z of a column with two values, as an effect that does not grow with the rows."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.methods.method import Method
from checks.drift.methods.proportions import shares


def z(reference: npt.ArrayLike, current: npt.ArrayLike, place: int) -> npt.NDArray[np.float64]:
    """|p − q| / √(P (1 − P)) over the last axis: p and q are the shares of the entry at `place`, P is that of both
    samples together; everything else counts as the other value.

    >>> round(float(z([50, 50], [80, 20], 0)), 4)
    0.629
    """
    before, now = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    both = before + now
    pooled = both[..., place] / both.sum(axis=-1)
    apart = np.abs(shares(before)[..., place] - shares(now)[..., place])
    spread = np.sqrt(pooled * (1 - pooled))
    effect: npt.NDArray[np.float64] = np.divide(apart, spread, out=np.zeros(np.shape(apart)), where=spread > 0)
    return effect


def z_statistic(effect: float, n_reference: int, n_current: int) -> float:
    """|z| of the pooled test of two proportions, of an effect."""
    return effect * sqrt(n_reference * n_current / (n_reference + n_current))


def _distance(ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    return z(reference.counts, current.counts, int(np.argmax(ground.counts)))


METHOD = Method(_distance, floor=0.3, scale="square", two=True, statistic=z_statistic)
