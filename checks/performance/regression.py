"""Mean absolute error and root mean squared error."""

from __future__ import annotations

from math import sqrt

import numpy as np

from checks.inputs import Scored
from checks.performance.interval import Estimate, Z, normal


def mae(scored: Scored) -> Estimate:
    """Mean absolute error, in the target's unit; normal interval of a mean."""
    errors = np.abs(scored.actual - scored.estimate)
    return normal(float(errors.mean()), float(errors.std()) / sqrt(scored.n), scored.n)


def rmse(scored: Scored) -> Estimate:
    """Root mean squared error, in the target's unit; the root of the normal interval of the mean square."""
    squares = (scored.actual - scored.estimate) ** 2
    mean, half = float(squares.mean()), Z * float(squares.std()) / sqrt(scored.n)
    return Estimate(sqrt(mean), sqrt(max(mean - half, 0.0)), sqrt(mean + half), scored.n)
