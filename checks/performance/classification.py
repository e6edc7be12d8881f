"""Accuracy, precision, recall and F1 of predicted classes.

Binary figures are of the positive class; multiclass ones are means over the classes that occur (scikit-learn's
`average='macro'`). One that has no rows to rest on (precision without a positive prediction) has no value.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from checks.base import Estimate
from checks.data.arrow import Floats
from checks.inputs import Scored
from checks.performance.interval import Z, normal_interval, wilson

Parts = Callable[[float, float, float], tuple[float, float]]


def decided(scored: Scored) -> int:
    """Return how many rows have a prediction that is a class."""
    return int(np.count_nonzero(scored.prediction >= 0))


def accuracy(scored: Scored) -> Estimate | None:
    """Return the share of rows whose prediction is the true class; None where no prediction is a class."""
    rows = decided(scored)
    return wilson(int(np.count_nonzero(scored.truth == scored.prediction)), rows) if rows else None


def precision(scored: Scored) -> Estimate | None:
    """Share of positive predictions that are right. Wilson interval over the positive predictions."""
    return _by_class(scored, lambda hits, actual, predicted: (hits, predicted))


def recall(scored: Scored) -> Estimate | None:
    """Share of positives that are found. Wilson interval over the positives."""
    return _by_class(scored, lambda hits, actual, predicted: (hits, actual))


def f1(scored: Scored) -> Estimate | None:
    """Harmonic mean of precision and recall.

    Of the rows positive in truth or prediction, the share p that is both is a binomial proportion, and F1 is
    2p / (1 + p): its interval is Wilson's of p, transformed.
    """
    return _by_class(scored, lambda hits, actual, predicted: (hits, actual + predicted - hits), _f1)


def _f1(estimate: Estimate) -> Estimate:
    value, low, high = (2 * p / (1 + p) for p in (estimate.value, estimate.low, estimate.high))
    return Estimate(value, low, high, estimate.n)


def confusion(scored: Scored) -> Floats:
    """Rows by true class (first axis) and predicted class."""
    size = len(scored.classes)
    known = scored.prediction >= 0
    cells = np.bincount(scored.truth[known] * size + scored.prediction[known], minlength=size * size)
    return cells.reshape(size, size).astype(np.float64)


def _same(estimate: Estimate) -> Estimate:
    return estimate


def _by_class(scored: Scored, parts: Parts, shape: Callable[[Estimate], Estimate] = _same) -> Estimate | None:
    """The positive class's figure, or the classes' mean; `parts` gives its hits and the rows they are of."""
    cells = confusion(scored)
    hits, actual, predicted = np.diag(cells), cells.sum(axis=1), cells.sum(axis=0)
    if scored.positive:
        place = scored.classes.index(scored.positive)
        top, bottom = parts(hits[place], actual[place], predicted[place])
        if not bottom:
            return None
        estimate = shape(wilson(top, int(bottom)))
        return Estimate(estimate.value, estimate.low, estimate.high, int(cells.sum()))
    seen = [place for place in range(len(hits)) if actual[place] or predicted[place]]
    if not seen:
        return None
    each = []
    for place in seen:
        top, bottom = parts(hits[place], actual[place], predicted[place])
        each.append(shape(wilson(top, int(bottom))) if bottom else Estimate(0.0, 0.0, 0.0, 0))
    value = sum(estimate.value for estimate in each) / len(each)
    errors = [(estimate.high - estimate.low) / (2 * Z) for estimate in each]
    return normal_interval(value, sqrt(sum(error * error for error in errors)) / len(each), int(cells.sum()), high=1.0)
