"""The drift methods by the names that config, labels and reports use. A new one is its module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.data.arrow import Floats
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.methods.chisquare import chisquare, chisquare_statistic
from checks.drift.methods.hellinger import hellinger
from checks.drift.methods.jensenshannon import jensenshannon
from checks.drift.methods.ks import ks, ks_bound
from checks.drift.methods.l_infinity import l_infinity
from checks.drift.methods.psi import psi
from checks.drift.methods.total_variation import total_variation
from checks.drift.methods.wasserstein import wasserstein, wasserstein_bound
from checks.drift.methods.z import z, z_statistic
from checks.limits import Scale

Distance = Callable[[BinnedReference, BinnedRows, BinnedRows], Floats]
"""Reference and current rows in, over the last axis; 0 for equal shares."""
Bound = Callable[[BinnedReference, BinnedRows, BinnedRows, float, float], tuple[float, float]]
"""Those of one window, and the range of all values in; out comes between which values the rows' own distance lies."""


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

    def applies(self, ground: BinnedReference) -> bool:
        """Whether the column is one that it is for."""
        fits = self.numeric if ground.numeric else self.categorical
        return fits and (not self.two or ground.values <= 2)

    def shown(self, distance: float, n_reference: int, n_current: int) -> float:
        """The distance as the number that the method is known by."""
        return distance if self.statistic is None else self.statistic(distance, n_reference, n_current)


def _over_bins(distance: Callable[[npt.NDArray[Any], npt.NDArray[Any]], Floats]) -> Distance:
    """With what lies outside the reference's range in the outermost bins."""
    return lambda ground, reference, current: distance(
        ground.bins.inner(reference.counts), ground.bins.inner(current.counts)
    )


def _ks_bound(
    ground: BinnedReference, reference: BinnedRows, current: BinnedRows, low: float, high: float
) -> tuple[float, float]:
    return ks_bound(reference.counts, current.counts)


def _wasserstein(ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    return wasserstein(ground.edges, ground.std, reference, current)


def _wasserstein_bound(
    ground: BinnedReference, reference: BinnedRows, current: BinnedRows, low: float, high: float
) -> tuple[float, float]:
    found = wasserstein_bound(ground.edges, ground.std, reference, current, low, high)
    return float(found[0]), float(found[1])


RARE = 0.005
"""Bins in which the reference has a smaller share are one for chi-square: of a row where hardly one is expected it
makes a proof (Cochran 1954)."""


def _chisquare(ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    own = ground.bins.inner(ground.counts)
    rare = own < RARE * own.sum()
    sides = [ground.bins.inner(rows.counts) for rows in (reference, current)]
    return chisquare(*(np.append(side[..., ~rare], side[..., rare].sum(axis=-1)[..., None], axis=-1) for side in sides))


def _z(ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    return z(reference.counts, current.counts, int(np.argmax(ground.counts)))


METHODS: dict[str, Method] = {
    "psi": Method(_over_bins(psi), floor=0.1, scale="linear"),
    "jensenshannon": Method(_over_bins(jensenshannon), floor=0.1, scale="square"),
    "wasserstein": Method(
        _wasserstein, floor=0.1, scale="square", categorical=False, sums=True, bound=_wasserstein_bound
    ),
    "ks": Method(
        lambda _, reference, current: ks(reference.counts, current.counts),
        floor=0.1,
        scale="square",
        categorical=False,
        bound=_ks_bound,
    ),
    "chisquare": Method(_chisquare, floor=0.3, scale="square", statistic=chisquare_statistic),
    "z": Method(_z, floor=0.3, scale="square", two=True, statistic=z_statistic),
    "total_variation": Method(_over_bins(total_variation), floor=0.1, scale="square"),
    "hellinger": Method(_over_bins(hellinger), floor=0.1, scale="square"),
    "l_infinity": Method(_over_bins(l_infinity), floor=0.1, scale="square"),
}
