"""What a drift method is: each module here declares its own as `METHOD`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.limits import Scale

Distance = Callable[[BinnedReference, BinnedRows, BinnedRows], Floats]
"""Reference and current rows in, over the last axis; 0 for equal shares."""
Bound = Callable[[BinnedReference, BinnedRows, BinnedRows, float, float], tuple[float, float]]
"""Those of one window, and the range of all values in; out comes between which values the rows' own distance lies."""
Terms = Callable[[Floats, Floats], Floats]
"""The reference's and the current shares in, what each bin adds out; none is negative."""


@dataclass(frozen=True, slots=True)
class Method:
    """A distance of counts."""

    distance: Distance
    floor: float
    """The smallest effect worth an alarm, however sure: no calibrated limit lies below."""
    scale: Scale
    """Where it grows like a chi-square over the number of rows, so that it adds up with sampling noise."""
    numeric: bool = True
    categorical: bool = True
    """The kinds of columns that it is for; booleans are categories."""
    two: bool = False
    """Whether it is only for columns whose reference has at most two values."""
    sums: bool = False
    """Whether it looks at the values' sums, too."""
    bound: Bound | None = None
    """Where bins hide a part of the distance."""
    statistic: Callable[[float, int, int], float] | None = None
    """Where the method is known by a number that grows with the rows: that, of a distance and both samples' rows."""
    terms: Terms | None = None
    """Where the distance is a sum over bins, which says what each one adds."""

    def applies(self, ground: BinnedReference) -> bool:
        """Return whether the column is one that the method is for."""
        fits = self.numeric if ground.numeric else self.categorical
        return fits and (not self.two or ground.values <= 2)

    def shown(self, distance: float, n_reference: int, n_current: int) -> float:
        """Return the distance as the number that the method is known by."""
        return distance if self.statistic is None else self.statistic(distance, n_reference, n_current)


def over_bins(distance: Callable[[npt.NDArray[Any], npt.NDArray[Any]], Floats]) -> Distance:
    """Return the distance of the bins, the outermost of which hold what lies outside the reference's range."""
    return lambda ground, reference, current: distance(
        ground.bins.inner(reference.counts), ground.bins.inner(current.counts)
    )
