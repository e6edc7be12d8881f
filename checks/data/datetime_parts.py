"""What is watched of a moment in time: its hour of the day and its weekday, both in UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from checks.data.arrow import Bools, Codes, Floats, coded_array

PARTS = {
    "hour": tuple(f"{hour:02}" for hour in range(24)),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
"""Each part's categories, in their order."""
FARTHEST = 1e12
"""Seconds from the epoch beyond which a number is no moment."""
UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""Numbers larger than the first are counted in that many parts of a second: nano, micro, milli."""


def part_names(feature: str) -> tuple[str, ...]:
    """The names under which the feature's parts are watched.

    >>> part_names("pickup")
    ('pickup.hour', 'pickup.weekday')
    """
    return tuple(f"{feature}.{part}" for part in PARTS)


def part_columns(seconds: Floats, present: Bools) -> dict[str, pa.Array]:
    """Each part as a text column, from epoch seconds; null where there is no moment.

    >>> {name: column.to_pylist() for name, column in part_columns(np.array([3600.0]), np.array([True])).items()}
    {'hour': ['01'], 'weekday': ['Thursday']}
    """
    known = present & np.isfinite(seconds)
    whole = np.floor(np.where(known, seconds, 0.0)).astype(np.int64)
    places = {"hour": whole // 3600 % 24, "weekday": (whole // 86_400 + 3) % 7}  # the epoch was a Thursday
    return {name: coded_array(_codes(place, known), PARTS[name]) for name, place in places.items()}


def _codes(places: np.ndarray[Any, Any], known: Bools) -> Codes:
    return np.where(known, places, -1).astype(np.int32)


def parse(values: Sequence[Any]) -> list[float | None]:
    """Epoch seconds of RFC 3339 texts (UTC where they name no zone) and of epoch seconds (or milli-, micro- or
    nanoseconds, by their size); None for what is neither, and for NaN."""
    return [_second(value) for value in values]


def _second(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and math.isnan(value))
    ):
        return None
    for limit, unit in UNITS:
        if abs(value) > limit:
            value = value / unit
            break
    return float(value) if abs(value) <= FARTHEST else None
