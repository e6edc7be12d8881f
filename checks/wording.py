"""What moved in a column, as one sentence for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from checks.base import NotEnough
from checks.one_line import one_line

LONGEST = 40  # characters of a category's name
NAMED = 3  # new categories named
NOTABLE = 0.005  # a change of a share that is worth words
SAME = "values lie as before"
REASONS: dict[NotEnough, str] = {
    NotEnough.NO_LABELS: "no labels have come for these predictions",
    NotEnough.UNMATCHED_LABELS: "labels came, but none has the id of a prediction; send exactly the prediction's id",
    NotEnough.INVALID_LABELS: "labels came, but most are no class, or no number, of the model; send the reference's",
    NotEnough.INVALID_PREDICTIONS: "most predictions are no class, or no number, of the model (is one a probability?)",
    NotEnough.NO_PROBABILITIES: "no probabilities have come with these predictions",
    NotEnough.INVALID_PROBABILITIES: "probabilities lie outside 0 to 1, lack a class, or are too many or too few",
    NotEnough.ONE_CLASS: "the rows hold a single class",
}
"""Why there is no performance, for people."""


def percent(share: float) -> str:
    """
    >>> percent(0.384), percent(0.0123), percent(0.00042), percent(0.0)
    ('38 %', '1.2 %', '0.042 %', '0 %')
    """
    value = share * 100
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def number(value: float) -> str:
    """Three significant digits, without an exponent where people would not write one.

    >>> number(12.14), number(12345.6), number(-0.0), number(1e-9)
    ('12.1', '12346', '0', '1e-09')
    """
    return f"{value:.0f}" if 1000 <= abs(value) < 1e15 else f"{value + 0.0:.3g}"


def quoted(name: str) -> str:
    """A category's name on one line, in quotes."""
    return f"'{one_line(name, LONGEST)}'"


def of_numbers(bounds: Sequence[float], before: Sequence[float], now: Sequence[float]) -> str:
    """Where values went: the range whose share changed most, of all there are. `bounds` are the ends of the bins, the
    outermost infinite.

    >>> inf = math.inf
    >>> of_numbers([-inf, 10, 20, 30, inf], [0.3, 0.3, 0.3, 0.1], [0.1, 0.1, 0.4, 0.4])
    '80 % of values now at 20 or more, 40 % before'
    >>> of_numbers([-inf, 0.5, 1.5, 2.5, inf], [0.2, 0.2, 0.4, 0.2], [0.1, 0.7, 0.1, 0.1])
    '70 % of values now at 1, 20 % before'
    """
    start, end = _largest_change(before, now)
    if abs(sum(now[start:end]) - sum(before[start:end])) < NOTABLE:
        return SAME
    shares = percent(sum(now[start:end])), percent(sum(before[start:end]))
    return f"{shares[0]} of values now {_place(bounds, start, end)}, {shares[1]} before"


def of_categories(names: Sequence[str], before: Sequence[float], now: Sequence[float], new: Sequence[str] = ()) -> str:
    """The category whose share changed most; the last two of `names` are other and new ones, of which some are known
    by name.

    >>> of_categories(["UA", "(other)", "(new)"], [0.9, 0.1, 0.0], [0.5, 0.1, 0.4], ["ZZ"])
    "40 % of values now new categories such as 'ZZ'"
    """
    place = max(range(len(names)), key=lambda at: abs(now[at] - before[at]))
    if abs(now[place] - before[place]) < NOTABLE:
        return SAME
    if now[place] < before[place]:  # what grew says more, if it grew nearly as much
        grown = max(range(len(names)), key=lambda at: now[at] - before[at])
        place = grown if now[grown] - before[grown] >= 0.8 * (before[place] - now[place]) else place
    if place == len(names) - 1:
        such = f" such as {', '.join(quoted(name) for name in new[:NAMED])}" if new else ""
        known = f", {percent(before[place])} before" if before[place] else ""
        return f"{percent(now[place])} of values now new categories{such}{known}"
    shown = "rare categories" if place == len(names) - 2 else quoted(names[place])
    return f"{percent(now[place])} of values now {shown}, {percent(before[place])} before"


def missing_words(before: float, now: float) -> str:
    """How the share of missing values changed; empty where it hardly did."""
    return f"missing {_arrow(before, now)}" if abs(now - before) >= NOTABLE else ""


def mean_words(before: float, now: float) -> str:
    """How the mean changed; empty where its shown digits did not."""
    shown = number(before), number(now)
    return f"mean {shown[0]} → {shown[1]}" if shown[0] != shown[1] and math.isfinite(before + now) else ""


def _arrow(before: float, now: float) -> str:
    return f"{percent(before).removesuffix(' %')} → {percent(now)}"


def _largest_change(before: Sequence[float], now: Sequence[float]) -> tuple[int, int]:
    """The run of bins [start, end) whose share changed most, preferably one that grew, and one at an end."""
    sums = [0.0, *accumulate(after - earlier for earlier, after in zip(before, now, strict=True))]
    low, high = min(range(len(sums)), key=sums.__getitem__), max(range(len(sums)), key=sums.__getitem__)
    if low < high:
        return low, high
    # What lies between lost; if it reaches an end, the other end has gained the same.
    if high == 0:
        return low, len(before)
    return (0, high) if low == len(before) else (high, low)


def _place(bounds: Sequence[float], start: int, end: int) -> str:
    low, high = bounds[start], bounds[end]
    if whole(bounds):
        first = low if math.isinf(low) else math.ceil(low)
        last = high if math.isinf(high) else math.ceil(high) - 1
        if math.isinf(low) or math.isinf(high):
            return f"below {number(last + 1)}" if math.isinf(low) else f"at {number(first)} or more"
        return f"at {number(first)}" if first == last else f"from {number(first)} to {number(last)}"
    if math.isinf(low):
        return f"below {_edge(high)}"
    if math.isinf(high):
        return f"at {_edge(low)} or more"
    shown = _edge(low), _edge(high)
    return f"at {shown[0]}" if shown[0] == shown[1] else f"from {shown[0]} to {shown[1]}"


def bin_names(bounds: Sequence[float]) -> list[str]:
    """Each bin in words, those of whole numbers by what they hold; the outermost are open where their end is infinite.

    >>> bin_names([-math.inf, 10, 20.5, math.inf]), bin_names([-0.5, 0.5, 3.5])
    (['below 10', '10 – 20.5', 'above 20.5'], ['0', '1 – 3'])
    """
    counts = whole(bounds)
    return [_bin(low, high, counts) for low, high in pairwise(bounds)]


def _bin(low: float, high: float, counts: bool) -> str:
    if math.isinf(low) or math.isinf(high):
        return f"below {_edge(high)}" if math.isinf(low) else f"above {_edge(low)}"
    first, last = (math.ceil(low), math.ceil(high) - 1) if counts else (low, high)
    shown = _edge(first), _edge(last)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} – {shown[1]}"


def _edge(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 or abs(value) >= 1e15 else f"{value:.0f}"


def whole(bounds: Sequence[float]) -> bool:
    """Whether the values are whole numbers: edges lie halfway between two of them."""
    inner = [bound for bound in bounds if math.isfinite(bound)]
    halves = [bound for bound in inner if bound % 1 == 0.5]
    return len(halves) > 0 and all(bound % 0.5 == 0 for bound in inner) and 2 * len(halves) > len(inner)
