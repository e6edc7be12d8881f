"""What a rule's levels are for one measurement, and the baseline that some of them are made from."""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import median
from typing import Literal

from alerts.rule import Level
from checks.base import Measurement

SLOTS = 60
"""A baseline keeps at most this many values, the first of each baseline/60 seconds."""
MIN_SLOTS = 10
"""With fewer values a baseline judges nothing."""

Slots = tuple[tuple[int, float], ...]
"""(number of the slot since the epoch, value), oldest first."""


class Unjudged(StrEnum):
    """Why a measurement has no level to be held against."""

    NO_LIMIT = "no_limit"
    NO_REFERENCE = "no_reference"
    NO_BASELINE = "no_baseline"


def resolve(
    level: Level, measurement: Measurement, side: Literal["above", "below"], baseline: Slots
) -> float | Unjudged:
    """The level as a number, or why there is none."""
    number: float | None
    if level.limit:
        number, missing = (measurement.limit_high if side == "above" else measurement.limit_low), Unjudged.NO_LIMIT
    elif level.reference is not None:
        known = measurement.reference
        number, missing = (None if known is None else known + level.reference), Unjudged.NO_REFERENCE
    elif level.baseline is not None:
        number, missing = _of_baseline(baseline, level.times), Unjudged.NO_BASELINE
    else:
        number, missing = level.value, Unjudged.NO_LIMIT
    if number is None or not math.isfinite(number):
        return missing
    if level.at_least is not None:
        number = max(number, level.at_least)
    if level.at_most is not None:
        number = min(number, level.at_most)
    return number


def remember(slots: Slots, span: float, now: float, value: float) -> Slots:
    """The baseline of `span` seconds with the value at `now` added, unless its slot has one, and what is too old
    dropped. Slots from the future (the clock went back) are dropped too."""
    width = span / SLOTS
    slot = int(now // width)
    kept = tuple(item for item in slots if slot - SLOTS < item[0] <= slot)
    if kept and kept[-1][0] == slot:
        return kept
    return (*kept, (slot, value))


def _of_baseline(slots: Slots, times: float) -> float | None:
    return None if len(slots) < MIN_SLOTS else median(value for _, value in slots) * times
