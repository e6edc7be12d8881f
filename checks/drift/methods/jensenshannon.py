"""Jensen–Shannon distance of binned counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.methods.method import Method, over_bins
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
    divergence: Floats = (_entropy(p, middle).sum(axis=-1) + _entropy(q, middle).sum(axis=-1)) / 2
    return np.sqrt(np.maximum(divergence, 0.0))


def _entropy(p: Floats, middle: Floats) -> Floats:
    """What each bin adds to the relative entropy of p to the middle; empty ones add nothing."""
    ratio = np.divide(p, middle, out=np.ones(np.broadcast_shapes(p.shape, middle.shape)), where=p > 0)
    terms: Floats = p * np.log(ratio)
    return terms


def _terms(before: Floats, now: Floats) -> Floats:
    middle = (before + now) / 2
    return np.maximum(_entropy(before, middle) + _entropy(now, middle), 0.0)


METHOD = Method(over_bins(jensenshannon), floor=0.1, scale="square", terms=_terms)
