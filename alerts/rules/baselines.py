"""What an alert remembers of its own earlier values, in a bounded number of slots: recent ones, and a season's."""

from __future__ import annotations

import math

from checks.base import Window

SLOTS = 60
"""A baseline keeps at most this many values, the first of each baseline/60 seconds."""
MIN_SLOTS = 10
"""With fewer values a baseline judges nothing."""
SEASON_SLOTS = 168
"""A season is remembered in so many means at most: of 7 days, one an hour."""

Slots = tuple[tuple[int, float], ...]
"""(number of the slot since the epoch, value), oldest first."""
Season = tuple[tuple[int, float, int], ...]
"""(number of the slot since the epoch, mean, values in it), oldest first."""


def remember(slots: Slots, span: float, now: float, value: float) -> Slots:
    """The baseline of `span` seconds with the value at `now` added, unless its slot has one, and what is too old
    dropped. Slots from the future (the clock went back) are dropped too."""
    width = span / SLOTS
    slot = int(now // width)
    kept = tuple(item for item in slots if slot - SLOTS < item[0] <= slot)
    if kept and kept[-1][0] == slot:
        return kept
    return (*kept, (slot, value))


def of_baseline(slots: Slots) -> float | None:
    """The median; None with too few values."""
    if len(slots) < MIN_SLOTS:
        return None
    # Not the standard library's, which imports fractions and more: 0.7 MB of the daemon.
    ordered, middle = sorted(value for _, value in slots), len(slots) // 2
    return ordered[middle] if len(slots) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def remember_season(slots: Season, season: float, window: Window, value: float) -> Season:
    """The season with the window's value in the mean of its slot; what is older than a season, and what lies in the
    future, is dropped."""
    width = _width(season, window)
    slot = _slot(window.start, width)
    oldest = _slot(window.start - season, width)
    kept = tuple(item for item in slots if oldest <= item[0] <= slot)
    if kept and kept[-1][0] == slot:
        *kept_before, (_, mean, count) = kept
        return (*kept_before, (slot, mean + (value - mean) / (count + 1), count + 1))
    return (*kept, (slot, value, 1))


def of_season(slots: Season, season: float, window: Window) -> float | None:
    """The mean of the slot one season before the window; None where nothing was learned then."""
    wanted = _slot(window.start - season, _width(season, window))
    return next((mean for slot, mean, _ in slots if slot == wanted), None)


def _width(season: float, window: Window) -> float:
    return max(season / SEASON_SLOTS, window.seconds)


def _slot(moment: float, width: float) -> int:
    # A window's start is a sum of floats: one that lies a hair before its slot is meant to be in it.
    return math.floor(moment / width + 1e-9)
