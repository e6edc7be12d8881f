"""95 % intervals of performance figures."""

from __future__ import annotations

from math import sqrt

from checks.base import Estimate

Z = 1.959964


def wilson(hits: float, rows: int) -> Estimate:
    """A proportion and its score interval. Wilson, Probable inference (1927).

    >>> wilson(8, 10)
    Estimate(value=0.8, low=0.490..., high=0.943..., n=10)
    """
    share, square = float(hits) / rows, Z * Z
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = Z / (1 + square / rows) * sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    return Estimate(share, max(middle - half, 0.0), min(middle + half, 1.0), rows)


def normal_interval(value: float, error: float, n: int, low: float = 0.0, high: float = float("inf")) -> Estimate:
    """The value ± 1.96 standard errors, within the bounds that the figure has by definition."""
    return Estimate(value, max(value - Z * error, low), min(value + Z * error, high), n)
