"""What a picture shows of one column: plain numbers, so that it can be stored and drawn anywhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from checks.wording import bin_names, number, whole

MOST_BARS = 24
MOST_CATEGORIES = 12
NAMED = 12  # bins of whole numbers that are named


@dataclass(frozen=True, slots=True)
class Distribution:
    """Shares of a column's values by bin, in the reference and now; each side adds up to 1, or is all 0."""

    name: str
    numeric: bool
    bins: tuple[str, ...]
    """What each bin holds, in words."""
    reference: tuple[float, ...]
    current: tuple[float, ...]
    bounds: tuple[float, ...] = ()
    """Numeric: the ends of the bins, one more than there are bins; the outermost may be infinite."""
    why: str = ""
    """What moved, one sentence."""

    @property
    def most(self) -> float:
        """The largest share."""
        return max((*self.reference, *self.current), default=0.0)

    @property
    def axis(self) -> list[tuple[float, str]]:
        """Numeric: places along the bins (0 … their number) with what is written there: the bins' names in their
        middle where they are few whole numbers, else finite ends."""
        if len(self.bins) <= NAMED and whole(self.bounds):
            return [(place + 0.5, name) for place, name in enumerate(self.bins)]
        return [(float(place), number(bound)) for place, bound in enumerate(self.bounds) if isfinite(bound)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; infinities as null."""
        plain = asdict(self)
        plain["bounds"] = [bound if abs(bound) != float("inf") else None for bound in self.bounds]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Distribution:
        """The inverse of `to_dict`."""
        bounds = [float("inf") if bound is None else bound for bound in plain["bounds"]]
        if bounds and bounds[0] == float("inf"):
            bounds[0] = -bounds[0]
        sides = {side: tuple(plain[side]) for side in ("bins", "reference", "current")}
        return cls(**{**plain, **sides, "bounds": tuple(bounds)})


def coarse(distribution: Distribution) -> Distribution:
    """With at most so many bars that they can be told apart: neighbouring bins of numbers become one, and categories
    beyond the most frequent and most changed."""
    if distribution.numeric:
        return _fewer_bins(distribution) if len(distribution.bins) > MOST_BARS else distribution
    return _fewer_categories(distribution) if len(distribution.bins) > MOST_CATEGORIES else distribution


def _fewer_bins(whole: Distribution) -> Distribution:
    step = -(-len(whole.bins) // MOST_BARS)
    starts = range(0, len(whole.bins), step)
    ends = [whole.bounds[min(start + step, len(whole.bins))] for start in starts]
    before, now = (
        tuple(sum(side[start : start + step]) for start in starts) for side in (whole.reference, whole.current)
    )
    bounds = (whole.bounds[0], *ends)
    return Distribution(whole.name, True, tuple(bin_names(bounds)), before, now, bounds, whole.why)


def _fewer_categories(whole: Distribution) -> Distribution:
    sides = list(zip(whole.reference, whole.current, strict=True))
    places = sorted(range(len(sides)), key=lambda at: -max(*sides[at], 3 * abs(sides[at][0] - sides[at][1])))
    kept = sorted(places[: MOST_CATEGORIES - 1], key=lambda at: -max(sides[at]))
    rest = places[MOST_CATEGORIES - 1 :]
    names = (*(whole.bins[place] for place in kept), f"({len(rest)} more)")
    before, now = (
        (*(side[place] for place in kept), sum(side[place] for place in rest))
        for side in (whole.reference, whole.current)
    )
    return Distribution(whole.name, False, names, before, now, (), whole.why)
