"""Jensen–Shannon distance of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.drift.methods.proportions import shares


def jensenshannon(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Square root of the Jensen–Shannon divergence in nats, over the last axis: 0 … 0.8326; a metric.

    The same as `scipy.spatial.distance.jensenshannon`, which Evidently uses. Endres and Schindelin, A new metric for
    probability distributions (2003).

    >>> float(jensenshannon([1, 1], [1, 1])), round(float(jensenshannon([1, 0], [0, 1])), 4)
    (0.0, 0.8326)
    """
    p, q = shares(reference), shares(current)
    middle = (p + q) / 2
    divergence = (_entropy(p, middle) + _entropy(q, middle)) / 2
    return np.sqrt(np.maximum(divergence, 0.0))


def _entropy(p: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Relative entropy of p to the middle; empty bins add nothing."""
    ratio = np.divide(p, middle, out=np.ones(np.broadcast_shapes(p.shape, middle.shape)), where=p > 0)
    total: npt.NDArray[np.float64] = (p * np.log(ratio)).sum(axis=-1)
    return total
