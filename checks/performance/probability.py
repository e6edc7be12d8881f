"""ROC AUC and log loss of predicted probabilities."""

from __future__ import annotations

from math import sqrt

import numpy as np

from checks.base import Estimate
from checks.data.arrow import Bools, Floats
from checks.inputs import Scored
from checks.performance.interval import normal_interval

SMALLEST = float(np.finfo(np.float64).eps)  # as in scikit-learn: a certain prediction that is wrong costs 36


def graded(scored: Scored) -> int:
    """Return how many rows have their probabilities."""
    if scored.positive:
        return 0 if scored.score is None else int(np.count_nonzero(np.isfinite(scored.score)))
    return 0 if scored.probabilities is None else int(np.isfinite(scored.probabilities.sum(axis=1)).sum())


def roc_auc(scored: Scored) -> Estimate | None:
    """Area under the ROC curve; None with one class. Multiclass: mean over classes of one against the rest.

    Interval: Hanley and McNeil, The meaning and use of the area under a ROC curve (1982); a mean's standard error is
    taken as the mean of its parts', as if they moved together.
    """
    if scored.positive:
        if scored.score is None:
            return None
        known = np.isfinite(scored.score)
        found = _area(scored.truth[known] == scored.classes.index(scored.positive), scored.score[known])
        return None if found is None else normal_interval(found[0], found[1], int(known.sum()), high=1.0)
    if scored.probabilities is None:
        return None
    known = np.isfinite(scored.probabilities.sum(axis=1))
    truth, shares = scored.truth[known], scored.probabilities[known]
    parts = [_area(truth == place, shares[:, place]) for place in range(shares.shape[1]) if (truth == place).any()]
    areas = [part for part in parts if part is not None]
    if not areas:
        return None
    value = sum(area for area, _ in areas) / len(areas)
    return normal_interval(value, sum(error for _, error in areas) / len(areas), int(known.sum()), high=1.0)


def log_loss(scored: Scored) -> Estimate | None:
    """Mean negative log-probability of the true class, in nats; normal interval of a mean.

    None where there are no probabilities, or scores are none (outside 0 … 1).
    """
    if scored.positive:
        if scored.score is None:
            return None
        known = np.isfinite(scored.score)
        positive = scored.truth[known] == scored.classes.index(scored.positive)
        share = np.where(positive, scored.score[known], 1 - scored.score[known])
    elif scored.probabilities is not None:
        width = scored.probabilities.shape[1]
        known = np.isfinite(scored.probabilities.sum(axis=1)) & (scored.truth < width)
        share = scored.probabilities[known, scored.truth[known]]
    else:
        return None
    if len(share) == 0 or share.min() < 0 or share.max() > 1:
        return None
    losses = -np.log(np.clip(share, SMALLEST, 1 - SMALLEST))
    return normal_interval(float(losses.mean()), float(losses.std()) / sqrt(len(losses)), len(losses))


def _area(positive: Bools, score: Floats) -> tuple[float, float] | None:
    """The area and its standard error; None with one class."""
    hits = int(np.count_nonzero(positive))
    rest = len(positive) - hits
    if not hits or not rest:
        return None
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[places]  # ties share their mean rank
    area = float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * rest))
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (hits - 1) * (q1 - area * area) + (rest - 1) * (q2 - area * area)
    return area, sqrt(max(variance, 0.0) / (hits * rest))
