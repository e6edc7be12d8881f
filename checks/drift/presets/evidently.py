"""Drift of a column's rows as Evidently 0.7 measures it: its choice of method, its bins, its thresholds.

The definitions are those of `evidently.legacy.calculations.stattests`; tests/checks/drift/parity holds the numbers and
verdicts against it. Missing and infinite values are left out first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.spatial import distance

from checks.data.arrow import Floats
from checks.drift.presets.result import ColumnResult, Kind, Statistic
from checks.drift.presets.transport import wasserstein_distance
from checks.drift.presets.values import Column, categories, distinct_above, numbers, paired, tally

SMALL = 1000  # a reference of at most so many rows is tested, a larger one measured by a distance
FEW = 5  # numbers with at most so many distinct values are compared by value
BINNED = 20  # and those of a reference with more are binned where a method needs bins
EMPTY = 1e-4  # the share that PSI and KL give an empty bin


@dataclass(frozen=True, slots=True)
class Sides:
    """Both samples without what is missing: as numbers, where they are, and as counts by value."""

    reference: Floats | None
    current: Floats | None
    before: Mapping[Any, int]
    now: Mapping[Any, int]

    @property
    def numeric(self) -> bool:
        return self.reference is not None

    @property
    def n(self) -> tuple[int, int]:
        if self.reference is not None and self.current is not None:
            return len(self.reference), len(self.current)
        return sum(self.before.values()), sum(self.now.values())

    @property
    def counts(self) -> tuple[Mapping[Any, int], Mapping[Any, int]]:
        if self.reference is not None and self.current is not None:
            return tally(self.reference), tally(self.current)
        return self.before, self.now


@dataclass(frozen=True, slots=True)
class PresetMethod:
    statistic: Statistic
    threshold: float
    value: Callable[[Sides], float]
    at_threshold: bool
    """Whether a value that equals the threshold is drift."""
    kinds: tuple[str, ...] = ("numeric", "categorical")


def compare(reference: Column, current: Column, kind: Kind, method: str | None = None) -> ColumnResult:
    """The column by this method, or by the one that Evidently chooses for its type and size. Raises KeyError for a
    method that it does not have."""
    sides = _sides(reference, current, kind)
    n_reference, n_current = sides.n
    if not n_reference or not n_current:
        empty = "reference" if not n_reference else "current data"
        text = f"the column has no finite value in the {empty}"
        return ColumnResult(method or "", "distance", None, None, None, n_reference, n_current, text)
    name = method or choice(sides)
    own = METHODS[name]
    value = float(own.value(sides))
    if not np.isfinite(value):
        text = f"{name} gives {value} for these rows"
        return ColumnResult(name, own.statistic, None, own.threshold, None, n_reference, n_current, text)
    beyond = value > own.threshold if own.statistic == "distance" else value < own.threshold
    drifted = beyond or (own.at_threshold and value == own.threshold)
    return ColumnResult(name, own.statistic, value, own.threshold, drifted, n_reference, n_current)


def choice(sides: Sides) -> str:
    """The method that Evidently takes where none is named."""
    small = sides.n[0] <= SMALL
    if (
        sides.reference is not None
        and sides.current is not None
        and distinct_above(sides.reference, sides.current, FEW)
    ):
        return "ks" if small else "wasserstein"
    if not small:
        return "jensenshannon"
    before, now = sides.counts
    return "chisquare" if len(before.keys() | now.keys()) > 2 else "z"


def usual(reference: Column, kind: Kind) -> str:
    """That for current data without any value that the reference does not have."""
    return choice(_sides(reference, reference.slice(0, 0), kind))


def _sides(reference: Column, current: Column, kind: Kind) -> Sides:
    if kind != "numeric":
        return Sides(None, None, categories(reference).tally(), categories(current).tally())
    values = [numbers(column) for column in (reference, current)]
    finite = [side[np.isfinite(side)] for side in values]
    return Sides(finite[0], finite[1], {}, {})


def _numeric(sides: Sides) -> tuple[Floats, Floats]:
    if sides.reference is None or sides.current is None:
        raise TypeError("this method is for numbers")
    return sides.reference, sides.current


def _ks(sides: Sides) -> float:
    return float(stats.ks_2samp(*_numeric(sides)).pvalue)


def _wasserstein(sides: Sides) -> float:
    reference, current = _numeric(sides)
    return wasserstein_distance(reference, current) / max(float(np.std(reference)), 0.001)


def _chisquare(sides: Sides) -> float:
    """Against the reference's shares as if they were known: a value that it does not have gives 0."""
    before, now = paired(*sides.counts)
    with np.errstate(divide="ignore"):
        return float(stats.chisquare(now, before * (now.sum() / before.sum())).pvalue)


def _z(sides: Sides) -> float:
    """Pooled test of the share of all but the first value."""
    before, now = paired(*sides.counts)
    if len(before) == 1:
        return 1.0
    n_before, n_now = int(before.sum()), int(now.sum())
    rest_before, rest_now = n_before - int(before[0]), n_now - int(now[0])
    pooled = (rest_before + rest_now) / (n_before + n_now)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_before + 1 / n_now))
    z = (rest_before / n_before - rest_now / n_now) / error
    return float(2 * (1 - stats.norm.cdf(abs(z))))


def _shares(sides: Sides) -> tuple[Floats, Floats]:
    """Shares by value or, where the numbers of the reference have many, in bins over both samples by Sturges' rule."""
    if sides.numeric and len(np.unique(_numeric(sides)[0])) > BINNED:
        bins = np.histogram_bin_edges(np.concatenate(_numeric(sides)), "sturges")
        both = [np.histogram(side, bins)[0] / len(side) for side in _numeric(sides)]
        return both[0], both[1]
    before, now = paired(*sides.counts)
    return before / before.sum(), now / now.sum()


def _filled(shares: Floats) -> Floats:
    least = float(shares[shares != 0].min())
    return np.where(shares == 0, least / 1e6 if least <= EMPTY else EMPTY, shares)


def _jensenshannon(sides: Sides) -> float:
    return float(distance.jensenshannon(*_shares(sides)))


def _psi(sides: Sides) -> float:
    p, q = map(_filled, _shares(sides))
    return float(np.sum((p - q) * np.log(p / q)))


def _kl_div(sides: Sides) -> float:
    return float(stats.entropy(*map(_filled, _shares(sides))))


def _hellinger(sides: Sides) -> float:
    if not sides.numeric:
        before, now = paired(*sides.counts)
        overlap = float(np.sqrt(before / before.sum() * (now / now.sum())).sum())
    else:
        # Its bins are by Sturges' rule, too, but for the distinct values instead of for the rows.
        bins = np.histogram_bin_edges(np.unique(np.concatenate(_numeric(sides))), "sturges")
        dense = [np.histogram(side, bins, density=True)[0] for side in _numeric(sides)]
        width = (bins.max() - bins.min()) / (len(bins) - 1)
        overlap = float(np.cumsum(np.sqrt(dense[0] * dense[1]) * width)[-1])
    return float(np.sqrt(1 - np.clip(overlap, 0, 1)))


METHODS: dict[str, PresetMethod] = {
    "ks": PresetMethod("p_value", 0.05, _ks, at_threshold=True, kinds=("numeric",)),
    "wasserstein": PresetMethod("distance", 0.1, _wasserstein, at_threshold=True, kinds=("numeric",)),
    "chisquare": PresetMethod("p_value", 0.05, _chisquare, at_threshold=False, kinds=("categorical",)),
    "z": PresetMethod("p_value", 0.05, _z, at_threshold=False, kinds=("categorical",)),
    "jensenshannon": PresetMethod("distance", 0.1, _jensenshannon, at_threshold=True),
    "psi": PresetMethod("distance", 0.1, _psi, at_threshold=True),
    "kl_div": PresetMethod("distance", 0.1, _kl_div, at_threshold=True),
    "hellinger": PresetMethod("distance", 0.1, _hellinger, at_threshold=True),
}
