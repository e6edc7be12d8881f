"""Levels of measurements that are shares: from 0 to 1, where people may have meant percent."""

from __future__ import annotations

import math
from collections.abc import Iterable

from checks.catalog import CATALOG


def share_problem(metric: str, numbers: Iterable[float | None]) -> str | None:
    """Return why a number can't be the level of a metric that is a share; None if each can, and for other metrics.

    >>> share_problem("error_ratio", [5.0])
    'error_ratio is a ratio, from 0 to 1, and 5 is not; 0.05 is 5 %'
    """
    known = CATALOG.get(metric)
    if known is None or not known.is_share or not metric.endswith("_ratio"):
        return None
    for number in numbers:
        if number is not None and math.isfinite(number) and not 0 <= number <= 1:
            meant = f"; {number / 100:g} is {number:g} %" if 1 < number <= 100 else ""
            return f"{metric} is a ratio, from 0 to 1, and {number:g} is not{meant}"
    return None
