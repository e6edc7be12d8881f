"""What each bin adds to a distance: the terms of the sum that the method is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.methods.registry import METHODS

_SAME = {"jensen_shannon": "jensenshannon"}
"""A preset's method → the one here that has its terms."""


def contributions(method: str, before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Each bin's part of the distance between these shares; they add up to 1, or are all 0 where nothing differs.

    A method that is no sum over bins (such as Kolmogorov–Smirnov) is explained by what total variation adds up.

    >>> contributions("psi", [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]).round(3).tolist()
    [0.0, 0.5, 0.5]
    """
    own = METHODS.get(_SAME.get(method, method))
    terms_of = (own and own.terms) or _difference
    terms = terms_of(np.asarray(before, np.float64), np.asarray(now, np.float64))
    total = terms.sum()
    shares: Floats = terms / total if total > 0 else np.zeros(len(terms))
    return shares


def _difference(before: Floats, now: Floats) -> Floats:
    return np.abs(now - before)
