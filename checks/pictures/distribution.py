"""What a picture shows of one column: plain numbers, so that it can be stored and drawn anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST_BARS = 24
MOST_CATEGORIES = 12


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
    names = [_named(whole.bins[start : start + step]) for start in starts]
    before, now = (
        tuple(sum(side[start : start + step]) for start in starts) for side in (whole.reference, whole.current)
    )
    return Distribution(whole.name, True, tuple(names), before, now, (whole.bounds[0], *ends), whole.why)


def _named(names: Sequence[str]) -> str:
    if len(names) == 1 or names[0].startswith("below"):
        return names[0] if len(names) == 1 else f"below {names[-1].rpartition(' – ')[2]}"
    low = names[0].partition(" – ")[0]
    if names[-1].endswith("or more"):
        return f"{low} or more"
    return f"{low} – {names[-1].rpartition(' – ')[2]}"


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
