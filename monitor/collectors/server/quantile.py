"""Quantiles of a histogram of counts, as Prometheus estimates them."""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantile(q: float, buckets: Mapping[float, float]) -> float | None:
    """The q-quantile (0 < q < 1) of cumulative `buckets` {upper bound: count}, or None of an empty or open histogram.

    Linear within a bucket, whose lower end is 0 for the first; a quantile in the +Inf bucket is the highest finite
    bound. Source: Prometheus, promql/quantile.go, bucketQuantile.

    >>> quantile(0.5, {0.1: 0, 0.2: 10, math.inf: 10})
    0.15000000000000002
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or not math.isinf(bounds[-1]) or buckets[bounds[-1]] <= 0:
        return None
    # Sums of float counts, or a server's own races, may leave a bucket below the one before it.
    counts, highest = [], 0.0
    for bound in bounds:
        highest = max(highest, buckets[bound])
        counts.append(highest)
    rank = q * counts[-1]
    place = next(index for index, count in enumerate(counts) if count >= rank)
    if place == len(bounds) - 1:
        return bounds[-2]
    if place == 0 and bounds[0] <= 0:
        return bounds[0]
    lower = bounds[place - 1] if place else 0.0
    below = counts[place - 1] if place else 0.0
    return lower + (bounds[place] - lower) * (rank - below) / (counts[place] - below)


def without_fastest(buckets: Mapping[float, float], count: float) -> dict[float, float]:
    """The histogram after its `count` fastest observations are taken out."""
    return {bound: max(0.0, value - count) for bound, value in buckets.items()}
