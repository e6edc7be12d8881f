"""What each bin adds to a distance: the terms of the sum that the method is, by its name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.methods.psi import EMPTY

Terms = Callable[[Floats, Floats], Floats]
"""The reference's and the current shares in, what each bin adds out; none is negative."""


def contributions(method: str, before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Each bin's part of the distance between these shares; they add up to 1, or are all 0 where nothing differs.

    A method that is no sum over bins (such as Kolmogorov–Smirnov) is explained by what total variation adds up.

    >>> contributions("psi", [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]).round(3).tolist()
    [0.0, 0.5, 0.5]
    """
    terms = TERMS.get(method, _difference)(np.asarray(before, np.float64), np.asarray(now, np.float64))
    total = terms.sum()
    shares: Floats = terms / total if total > 0 else np.zeros(len(terms))
    return shares


def _difference(before: Floats, now: Floats) -> Floats:
    return np.abs(now - before)


def _psi(before: Floats, now: Floats) -> Floats:
    p, q = np.where(before == 0, EMPTY, before), np.where(now == 0, EMPTY, now)
    terms: Floats = (q - p) * np.log(q / p)
    return terms


def _jensenshannon(before: Floats, now: Floats) -> Floats:
    middle = (before + now) / 2
    terms = np.zeros(len(middle))
    for side in (before, now):
        held = side > 0
        terms[held] += side[held] * np.log(side[held] / middle[held])
    return np.maximum(terms, 0.0)


def _hellinger(before: Floats, now: Floats) -> Floats:
    terms: Floats = np.square(np.sqrt(now) - np.sqrt(before))
    return terms


def _chisquare(before: Floats, now: Floats) -> Floats:
    terms: Floats = np.square(now - before) / np.maximum(before, EMPTY)
    return terms


TERMS: dict[str, Terms] = {
    "psi": _psi,
    "jensenshannon": _jensenshannon,
    "jensen_shannon": _jensenshannon,
    "hellinger": _hellinger,
    "chisquare": _chisquare,
}
