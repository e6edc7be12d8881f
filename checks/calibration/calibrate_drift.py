"""Drift limits of one column: what sampling does, and how the reference's windows, days and weeks differ beyond it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from checks.calibration.reference_windows import FEWEST, FEWEST_ROWS, SPANS
from checks.calibration.resampling import drawn, within_bins
from checks.data.arrow import Floats
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.methods.method import Method
from checks.drift.methods.registry import METHODS
from checks.limits import SIZES, USUAL, Limit, LookBackLimit, chi_square_reach, reach, scaled, skewness, worst
from checks.profile import CategoryBins, CategoryColumn, NumberBins, NumberColumn

DRAWS = 400  # samples simulated for each size of window
MOST_DESIGN = 10.0


def drift_limits(
    values: pa.ChunkedArray,
    bins: NumberBins | CategoryBins,
    whole: NumberColumn | CategoryColumn,
    windows: BinnedRows | None,
    longer: Mapping[float, BinnedRows],
    rng: np.random.Generator,
    methods: Collection[str],
) -> dict[str, Limit]:
    """Of those of the methods that are for the column, by method. `windows` are the reference's own, `longer` its days
    and weeks by their seconds."""
    ground, total = BinnedReference.of(bins, whole), BinnedRows.of(whole)
    known = [] if windows is None else [windows, *longer.values()]
    sizes = (*SIZES, *(max(int(np.median(rows.n)), 1) for rows in known))
    summed = ground.numeric and any(METHODS[name].sums for name in methods)
    within = within_bins(values, bins, total, rng) if summed else None
    draws = {size: drawn(total, within, size, DRAWS, rng) for size in sizes}
    fitting = {name: METHODS[name] for name in methods if METHODS[name].applies(ground)}
    return {name: _Learned.of(method, ground, total, draws).limit(windows, longer) for name, method in fitting.items()}


@dataclass(frozen=True, slots=True)
class _Learned:
    """A method on a column, and what sampling alone does to it."""

    method: Method
    ground: BinnedReference
    total: BinnedRows
    simulated: Mapping[int, Floats]
    """Distances of drawn windows, by their size."""
    noise: tuple[float, ...]

    @classmethod
    def of(
        cls, method: Method, ground: BinnedReference, total: BinnedRows, draws: Mapping[int, BinnedRows]
    ) -> _Learned:
        n = int(total.n)
        found = {size: chi(method, ground, total, rows) * (1 + size / n) for size, rows in draws.items()}
        return cls(method, ground, total, found, _noise(found))

    def limit(self, windows: BinnedRows | None, longer: Mapping[float, BinnedRows]) -> Limit:
        usual = LookBackLimit(0.0, self.noise[USUAL], SIZES[USUAL], 1.0)
        own = None if windows is None else self._span(0.0, windows, FEWEST)
        spans = (self._span(seconds, rows, SPANS[seconds]) for seconds, rows in longer.items())
        _, base, rows, design = own or usual
        return Limit(
            base,
            rows,
            self.noise,
            scaled(self.method.floor, self.method.scale),
            self.method.scale,
            design,
            shrinks=True,
            reachable=reachable(self.method, self.ground, self.total),
            longer=tuple(span for span in spans if span is not None),
        )

    def _span(self, seconds: float, windows: BinnedRows, fewest: int) -> LookBackLimit | None:
        """What the reference's own windows, or longer stretches, stay within; None where there are too few."""
        counts = windows.n
        enough = (counts >= FEWEST_ROWS) & (counts < self.total.n)
        if enough.sum() < fewest:
            return None
        own, sizes = windows.chosen(enough), counts[enough]
        distances = chi(self.method, self.ground, self.total.without(own), own)
        typical = int(np.median(sizes))
        near = min(self.simulated, key=lambda size: abs(size - typical))
        middle = float(self.simulated.get(typical, self.simulated[near]).mean())
        design = float(np.clip(distances.mean() / max(middle, 1e-300), 1.0, MOST_DESIGN))
        # Sampling noise goes with one over the rows: every window as if it had the typical number of them.
        distances = np.maximum(distances + middle * (1 - typical / sizes), 0.0)
        sampling = float(np.exp(np.interp(np.log(typical), np.log(SIZES), np.log(np.maximum(self.noise, 1e-300)))))
        # Their roots are nearly normal where the distances themselves are skewed.
        base = max(reach(np.sqrt(np.minimum(distances, worst(distances)))) ** 2, sampling)
        return LookBackLimit(seconds, base, typical, design)


def reachable(method: Method, ground: BinnedReference, total: BinnedRows) -> float | None:
    """The largest distance that a window of known values can have: distances are convex, so it has all its rows in one
    bin. None where it also goes by the values, which may be anything, and where only new values are a change."""
    counts = total.counts
    alone = np.eye(len(counts), dtype=np.int64)[counts > 0]
    if method.sums or len(alone) < 2:
        return None
    return float(chi(method, ground, total, BinnedRows(alone)).max())


def _noise(simulated: Mapping[int, Floats]) -> tuple[float, ...]:
    """What sampling alone reaches at each of SIZES. Skewness, which so few samples show badly, is that of the sizes
    around, too."""
    skews = [skewness(simulated[size]) for size in SIZES]
    around = [float(np.mean(skews[max(place - 1, 0) : place + 2])) for place in range(len(SIZES))]
    return tuple(chi_square_reach(simulated[size], skew) for size, skew in zip(SIZES, around, strict=True))


def chi(method: Method, ground: BinnedReference, reference: BinnedRows, current: BinnedRows) -> Floats:
    """The distances where they grow like a chi-square."""
    found = method.distance(ground, reference, current)
    return found * found if method.scale == "square" else found
