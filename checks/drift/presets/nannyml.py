"""Drift of a column's rows as NannyML 0.13 measures it: its bins, its chunks, its thresholds.

The definitions are those of `nannyml.drift.univariate.methods` with their defaults; tests/checks/drift/parity holds the
numbers and verdicts against it. Missing values are left out; infinite ones count as any other number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.spatial import distance

from checks.data.arrow import Floats
from checks.drift.presets.nannyml_large import estimated_ks, estimated_wasserstein
from checks.drift.presets.result import ColumnResult, Kind
from checks.drift.presets.transport import wasserstein_distance
from checks.drift.presets.values import Categories, Column, categories, numbers, paired

CHUNKS = 10  # the reference is cut into chunks of a tenth of its rows; what remains is a chunk of its own
LARGE = 10_000  # from so many reference rows on, KS and Wasserstein go by bins
SIGMAS = 3
ALPHA = 0.05

NumberMethod = Callable[[Floats], Callable[[Floats], float]]
"""Fitted to the reference's present values, gives the distance of other present values from it."""
CategoryMethod = Callable[[Categories], Callable[[Categories], float]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A method fitted to a reference of so many present rows."""

    method: str
    value: Callable[[Column], tuple[float, int]]
    """The distance of a column's rows, and how many of them are present."""
    threshold: float | None
    n: int
    test: Callable[[Column], tuple[bool, float | None]] | None = None
    """Where the verdict is not by the threshold: drifted, and the value beyond which it would be."""

    def compare(self, current: Column) -> ColumnResult:
        value, present = self.value(current)
        if not np.isfinite(value):
            text = "the column has no value in the current data" if not present else f"{self.method} gives {value}"
            return ColumnResult(self.method, "distance", None, self.threshold, None, self.n, present, text)
        drifted, threshold = self.threshold is not None and value > self.threshold, self.threshold
        if self.test is not None:
            drifted, threshold = self.test(current)
        return ColumnResult(self.method, "distance", value, threshold, drifted, self.n, present)


def fit(reference: Column, kind: Kind, method: str = "jensen_shannon") -> Fitted:
    """The method with its threshold: the mean + 3 standard deviations (ddof 0) of the reference's chunks, each compared
    with the whole reference. Rows are in the order of time. Raises ValueError where NannyML can't be fitted, and
    KeyError for a method that it does not have for this kind of column."""
    rows = len(reference)
    if rows < CHUNKS:
        raise ValueError(f"NannyML cuts the reference into {CHUNKS} chunks, and it has {rows} rows")
    if kind == "numeric":
        return _fit_numbers(numbers(reference), method)
    return _fit_categories(categories(reference), method)


def _fit_numbers(reference: Floats, method: str) -> Fitted:
    present = reference[~np.isnan(reference)]
    if not len(present):
        raise ValueError("the column has no value in the reference")
    of = NUMBERS[method](present)

    def value(column: Column) -> tuple[float, int]:
        return held(numbers(column))

    def held(rows: Floats) -> tuple[float, int]:
        own = rows[~np.isnan(rows)]
        return (of(own) if len(own) else np.nan), len(own)

    found = [held(reference[start:end])[0] for start, end in _chunks(len(reference))]
    most = 1.0 if method == "kolmogorov_smirnov" else np.inf
    return Fitted(method, value, min(_threshold(found), most), len(present))


def _fit_categories(reference: Categories, method: str) -> Fitted:
    n = reference.present
    if not n:
        raise ValueError("the column has no value in the reference")
    of = CATEGORIES[method](reference)

    def value(column: Column) -> tuple[float, int]:
        return held(categories(column))

    def held(rows: Categories) -> tuple[float, int]:
        return (of(rows) if rows.present else np.nan), rows.present

    if method == "chi2":
        return Fitted(method, value, None, n, lambda column: _test(reference, categories(column)))
    found = [held(reference.rows(start, end))[0] for start, end in _chunks(len(reference.codes))]
    return Fitted(method, value, _threshold(found), n)


def _chunks(rows: int) -> Iterator[tuple[int, int]]:
    size = rows // CHUNKS
    return ((start, start + size) for start in range(0, rows, size))


def _threshold(distances: list[float]) -> float:
    return float(np.nanmean(distances) + np.nanstd(distances) * SIGMAS)


# binned distances


def _by_bins(measure: Callable[[Floats, Floats], float]) -> NumberMethod:
    """Bins by Doane's rule on the reference; what falls outside them is one more."""

    def fitted(reference: Floats) -> Callable[[Floats], float]:
        if not np.isfinite(reference).all():
            raise ValueError("NannyML makes no bins of a reference with infinite values")
        bins = np.histogram_bin_edges(reference, "doane")
        shares = np.histogram(reference, bins)[0] / len(reference)
        return lambda rows: measure(*_with_outside(shares, np.histogram(rows, bins)[0] / len(rows)))

    return fitted


def _by_name(measure: Callable[[Floats, Floats], float]) -> CategoryMethod:
    """A bin each category of the reference; all new ones are one more."""

    def fitted(reference: Categories) -> Callable[[Categories], float]:
        known = reference.tally()
        shares = np.array(list(known.values())) / reference.present

        def value(rows: Categories) -> float:
            now = rows.tally()
            return measure(*_with_outside(shares, np.array([now.get(name, 0) for name in known]) / rows.present))

        return value

    return fitted


def _with_outside(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    outside = 1 - np.sum(current)
    if outside > 0:  # be it by rounding: the root of 1e-16 is 1e-8
        return np.append(reference, 0.0), np.append(current, outside)
    return reference, current


def _jensen_shannon(p: Floats, q: Floats) -> float:
    return float(distance.jensenshannon(p, q, base=2))


def _hellinger(p: Floats, q: Floats) -> float:
    return float(np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2)) / np.sqrt(2))


# distances of their own


def _ks(reference: Floats) -> Callable[[Floats], float]:
    if len(reference) >= LARGE:
        return estimated_ks(reference)
    # The statistic alone is looked at; the exact distribution of its p-value would take most of the time.
    return lambda rows: float(stats.ks_2samp(reference, rows, method="asymp").statistic)


def _wasserstein(reference: Floats) -> Callable[[Floats], float]:
    if len(reference) >= LARGE:
        return estimated_wasserstein(reference)
    return lambda rows: wasserstein_distance(reference, rows)


def _l_infinity(reference: Categories) -> Callable[[Categories], float]:
    def value(rows: Categories) -> float:
        before, now = paired(reference.tally(), rows.tally())
        return float(np.abs(before / before.sum() - now / now.sum()).max())

    return value


def _chi2(reference: Categories) -> Callable[[Categories], float]:
    return lambda rows: float(stats.chi2_contingency(np.array(paired(reference.tally(), rows.tally()))).statistic)


def _test(reference: Categories, current: Categories) -> tuple[bool, float | None]:
    """Its verdict is by the p-value; the statistic where that is 0.05 says the same."""
    tested = stats.chi2_contingency(np.array(paired(reference.tally(), current.tally())))
    return bool(tested.pvalue < ALPHA), float(stats.chi2.isf(ALPHA, tested.dof)) if tested.dof else None


NUMBERS: dict[str, NumberMethod] = {
    "jensen_shannon": _by_bins(_jensen_shannon),
    "hellinger": _by_bins(_hellinger),
    "kolmogorov_smirnov": _ks,
    "wasserstein": _wasserstein,
}
CATEGORIES: dict[str, CategoryMethod] = {
    "jensen_shannon": _by_name(_jensen_shannon),
    "hellinger": _by_name(_hellinger),
    "chi2": _chi2,
    "l_infinity": _l_infinity,
}
