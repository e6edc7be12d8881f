"""What NannyML estimates from bins where the reference is large: Kolmogorov–Smirnov and Wasserstein."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from checks.data.arrow import Floats

BINS = 10_000


def estimated_ks(reference: Floats) -> Callable[[Floats], float]:
    """The largest difference of the cumulated shares at the ends of equal bins over the reference's range."""
    edges = np.linspace(np.min(reference), np.max(reference), BINS + 1)
    before = np.cumsum(np.histogram(reference, edges)[0] / len(reference))

    def value(rows: Floats) -> float:
        below = np.count_nonzero(rows < edges[0]) / len(rows)
        return float(np.max(np.abs(before - (below + np.cumsum(np.histogram(rows, edges)[0] / len(rows))))))

    return value


def estimated_wasserstein(reference: Floats) -> Callable[[Floats], float]:
    """The area between the cumulated shares in equal bins, and what lies outside of them by its own steps."""
    counts, edges = np.histogram(reference, BINS)
    before = np.cumsum(counts / len(reference))
    low, high, width = edges[0], edges[-1], edges[1] - edges[0]

    def value(rows: Floats) -> float:
        smaller, bigger = rows[rows < low], rows[rows > high]
        below, term_below = _outside(smaller, low, len(rows), lambda share: share)
        _, term_above = _outside(bigger, high, len(rows), lambda share: 1 - share)
        now = np.cumsum(np.histogram(rows, edges)[0] / len(rows)) + below
        return float(np.sum(np.abs(before - now) * width) + term_below + term_above)

    return value


def _outside(values: Floats, end: float, rows: int, height: Callable[[Floats], Floats]) -> tuple[float, float]:
    """The share of the values beyond an end, and the area there. The end itself counts as one of them: so NannyML."""
    if not len(values):
        return 0.0, 0.0
    share = (len(values) + 1) / rows
    steps, counts = np.unique(np.append(values, end), return_counts=True)
    heights = height(np.cumsum(counts) / (len(values) + 1))
    return share, float(np.sum(heights[:-1] * np.diff(steps)) * share)
