"""Pearson's chi-square of binned counts, as an effect that does not grow with the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.methods.method import Method
from checks.drift.methods.proportions import EMPTY

RARE = 0.005
"""Bins in which the reference has a smaller share are one for chi-square: of a row where hardly one is expected it
makes a proof (Cochran 1954)."""


def chisquare(reference: npt.ArrayLike, current: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cohen's w of two samples, over the last axis: √(X² / m), where X² is the statistic of the test that both have the
    same distribution and m = N n / (N + n).

    Counts of a bin that is new are compared like any other, so a single row of it is no proof, as it is where the
    reference's shares are taken for the truth. Pearson (1900); Cohen, Statistical Power Analysis (1988).

    >>> round(float(chisquare([50, 50], [80, 20])), 4)
    0.629
    """
    before, now = (np.asarray(counts, np.float64) for counts in (reference, current))
    n, m = before.sum(axis=-1, keepdims=True), now.sum(axis=-1, keepdims=True)
    both = before + now
    p, q, pooled = before / n, now / m, both / (n + m)
    terms = np.divide((p - q) ** 2, pooled, out=np.zeros(np.broadcast_shapes(p.shape, q.shape)), where=both > 0)
    effect: npt.NDArray[np.float64] = np.sqrt(terms.sum(axis=-1))
    return effect


def chisquare_statistic(effect: float, n_reference: int, n_current: int) -> float:
    """X² of an effect: the same as scipy's `chi2_contingency` without correction."""
    return effect * effect * n_reference * n_current / (n_reference + n_current)


def _distance(ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    own = ground.bins.inner(ground.counts)
    rare = own < RARE * own.sum()
    sides = [ground.bins.inner(rows.counts) for rows in (reference, current)]
    return chisquare(*(np.append(side[..., ~rare], side[..., rare].sum(axis=-1)[..., None], axis=-1) for side in sides))


def _terms(before: Floats, now: Floats) -> Floats:
    terms: Floats = np.square(now - before) / np.maximum(before, EMPTY)
    return terms


METHOD = Method(_distance, floor=0.3, scale="square", statistic=chisquare_statistic, terms=_terms)
