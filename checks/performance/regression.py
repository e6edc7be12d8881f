"""Mean absolute error and root mean squared error."""

from __future__ import annotations

import sys
from math import sqrt

import numpy as np

from checks.base import Estimate
from checks.data.arrow import Floats
from checks.inputs import Scored
from checks.performance.interval import Z, normal_interval

LARGEST = 1e60
"""Errors up to which the variance of their squares is finite, however many there are."""


def mae(scored: Scored) -> Estimate:
    """Mean absolute error, in the target's unit; normal interval of a mean."""
    errors, unit = _errors(scored)
    return _in_unit(normal_interval(float(errors.mean()), float(errors.std()) / sqrt(scored.n), scored.n), unit)


def rmse(scored: Scored) -> Estimate:
    """Root mean squared error, in the target's unit; the root of the normal interval of the mean square."""
    errors, unit = _errors(scored)
    squares = errors**2
    mean, half = float(squares.mean()), Z * float(squares.std()) / sqrt(scored.n)
    return _in_unit(Estimate(sqrt(mean), sqrt(max(mean - half, 0.0)), sqrt(mean + half), scored.n), unit)


def _errors(scored: Scored) -> tuple[Floats, float]:
    """Absolute errors, and the unit that they are in: the target's own, or the largest error where the squares or the
    sum would leave the range of floats, as one prediction of 1e308 makes them."""
    errors = np.abs(scored.actual - scored.estimate)
    largest = float(errors.max(initial=0.0))
    unit = largest if largest > LARGEST else 1.0
    return errors / unit, unit


def _in_unit(estimate: Estimate, unit: float) -> Estimate:
    low, high = estimate.low * unit, min(estimate.high * unit, sys.float_info.max)
    return Estimate(estimate.value * unit, low, high, estimate.n)
