"""Limits of every metric from the reference's own windows, each held against all the others.

A window is never compared with a reference that contains it: that comparison would come out too small, and the limits
too tight. Where the reference has no order in time, sampling alone sets the limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks.base import Estimate, Labels, labels
from checks.calibration.calibrate_drift import drift_limits
from checks.calibration.reference_windows import (
    FEWEST,
    FEWEST_ROWS,
    ReferenceWindows,
    hits,
    missing,
    outsiders,
    strangers,
    windowed,
)
from checks.data.arrow import Ints, int_array
from checks.data.schema import Schema
from checks.limits import EDGE, SIZES, USUAL, Limit, Scale, Z, binomial_reach, reach, scaled, worst
from checks.performance.interval import Z as Z95
from checks.performance.metrics import PerformanceMetric, metrics
from checks.performance.scored import scored
from checks.profile import CategoryBins, CategoryColumn, NumberBins, NumberColumn
from checks.profile.summary import codes_of

Key = tuple[str, Labels]

NEARLY_ALL = 0.9  # no ratio's limit lies above, whatever the reference's worst window was
MISSING_FLOOR = 0.05
RATIO_FLOOR = 0.01
MOST_WINDOWS = 400  # performance is figured in at most this many windows, evenly chosen


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the reference with its bins and whole profile."""

    name: str
    values: pa.ChunkedArray
    bins: NumberBins | CategoryBins
    whole: NumberColumn | CategoryColumn
    rows: int


def column_limits(
    column: Column,
    blocks: ReferenceWindows | None,
    drift: Mapping[str, Key],
    rng: np.random.Generator,
    spans: Mapping[float, ReferenceWindows] = MappingProxyType({}),
) -> dict[Key, Limit]:
    """Drift limits under these keys (method → key), also for windows that consist of `spans` (seconds → the reference's
    own), and quality limits if the column is a feature."""
    found: dict[Key, Limit] = {}
    windows, longer = None, {}
    if blocks is not None:
        codes, numeric = codes_of(column.values, column.bins), isinstance(column.bins, NumberBins)
        windows = windowed(column.values, codes, column.bins.size, blocks, numeric=numeric)
        longer = {
            seconds: windowed(column.values, codes, column.bins.size, own, numeric=numeric)
            for seconds, own in spans.items()
            if drift
        }
    if drift and column.whole.counts.any():
        made = drift_limits(column.values, column.bins, column.whole, windows, longer, rng, drift)
        found.update({drift[method]: limit for method, limit in made.items()})
    if column.name.startswith("f:"):
        found.update(_quality(column, blocks, None if windows is None else windows.counts))
    return found


def _quality(column: Column, blocks: ReferenceWindows | None, matrix: npt.NDArray[Any] | None) -> dict[Key, Limit]:
    whole, of = column.whole, labels(feature=column.name[2:])
    number = isinstance(whole, NumberColumn)
    gone = whole.missing + (whole.nan if isinstance(whole, NumberColumn) else 0)
    empty = None if blocks is None else hits(missing(column.values, number), blocks)
    rows = None if blocks is None else blocks.rows
    found = {
        ("missing_ratio", of): _ratio(gone, column.rows, empty, rows, MISSING_FLOOR),
        ("type_mismatch_ratio", of): _ratio(0, column.rows, None, None, RATIO_FLOOR),
    }
    held = None if matrix is None else matrix.sum(axis=1)
    if isinstance(whole, NumberColumn):
        # A reference's missing numbers may arrive as NaN: how a file and a client write 'none' often differs.
        odd = None if empty is None or rows is None or held is None else rows - held
        found["non_finite_ratio", of] = _ratio(gone + whole.infinite, column.rows, odd, rows, RATIO_FLOOR)
        out = None if blocks is None else outsiders(column.values, blocks)
        found["out_of_range_ratio", of] = _ratio(0, whole.finite, out, held, RATIO_FLOOR)
    elif isinstance(column.bins, CategoryBins):
        new = None
        if blocks is not None and matrix is not None:
            new = strangers(column.values, blocks) if column.bins.complete else matrix[:, -1]
        found["new_category_ratio", of] = _ratio(int(whole.counts[-1]), whole.present, new, held, RATIO_FLOOR)
    return found


def _ratio(hit: int, rows: int, by_window: Ints | None, of_window: Ints | None, floor: float) -> Limit:
    """A share's limit: `hit` of all `rows`, and by window where the reference has windows."""
    share = hit / max(rows, 1)
    # One more hit than was seen: a reference can't show that something never happens.
    noise = tuple(binomial_reach((hit + 1) / (rows + 1), size) for size in SIZES)
    ratios, typical = None, float(SIZES[USUAL])
    if by_window is not None and of_window is not None:
        held = of_window >= FEWEST_ROWS
        if held.sum() >= FEWEST:
            ratios, typical = by_window[held] / of_window[held], float(np.median(of_window[held]))
    base, most = 0.0, NEARLY_ALL
    if ratios is not None:
        bad = worst(ratios)
        base, most = reach(np.minimum(ratios, bad)), max(bad, NEARLY_ALL)
    sampling = binomial_reach((hit + 1) / (rows + 1), round(typical))
    return Limit(max(base, sampling), typical, noise, min(share + floor, 1.0), most=min(most, 1.0))


def performance(frame: pa.Table, schema: Schema) -> dict[str, Estimate]:
    """The reference's performance, by metric; empty where it has no predictions or no target."""
    if "label" not in frame.column_names or "prediction" not in frame.column_names:
        return {}
    rows = scored(frame, frame["label"], schema)
    if rows.n == 0:
        return {}
    found = {name: metric.of(rows) for name, metric in metrics(rows).items()}
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def performance_limits(
    frame: pa.Table, schema: Schema, whole: Mapping[str, Estimate], blocks: ReferenceWindows | None
) -> dict[Key, Limit]:
    """How far each metric strays in the reference's windows."""
    if not whole:
        return {}
    roles = [name for name in ("prediction", "score", "label") if name in frame.column_names]
    frame = frame.select([*roles, *(name for name in frame.column_names if name.startswith("p:"))])
    figures: dict[str, list[Estimate]] = {name: [] for name in whole}
    kinds: dict[str, PerformanceMetric] = metrics(scored(frame.slice(0, 1), frame["label"].slice(0, 1), schema))
    for window in _windows(frame, blocks):
        rows = scored(window, window["label"], schema)
        if rows.n < FEWEST_ROWS:
            continue
        for name in whole:
            estimate = kinds[name].of(rows)
            if estimate is not None:
                figures[name].append(estimate)
    return {
        ("performance", labels(metric=name)): _performance_limit(kinds[name], estimate, figures[name])
        for name, estimate in whole.items()
    }


def _windows(frame: pa.Table, blocks: ReferenceWindows | None) -> list[pa.Table]:
    if blocks is None:
        return []
    order = np.argsort(blocks.place, kind="stable")
    ordered = frame.take(int_array(order)).combine_chunks()
    ends = np.searchsorted(blocks.place[order], np.arange(blocks.count + 1))
    chosen = np.unique(np.linspace(0, blocks.count - 1, min(blocks.count, MOST_WINDOWS)).astype(int))
    return [ordered.slice(int(ends[place]), int(ends[place + 1] - ends[place])) for place in chosen]


def _performance_limit(metric: PerformanceMetric, whole: Estimate, windows: list[Estimate]) -> Limit:
    """Shares on the scale of logits and losses on that of logarithms, so that no limit leaves what is possible."""
    scale: Scale = "logit" if metric.higher_is_better else "log"
    sign = -1.0 if metric.higher_is_better else 1.0
    share = min(max(whole.value, EDGE), 1 - EDGE)
    slope = share * (1 - share) if metric.higher_is_better else max(whole.value, 1e-12)
    error = (whole.high - whole.low) / (2 * Z95) * sqrt(whole.n) / slope
    noise = tuple(Z * error / sqrt(size) for size in SIZES)
    step = metric.floor if metric.higher_is_better else metric.floor * whole.value
    floor = scaled(whole.value + sign * step, scale)
    if len(windows) < FEWEST:
        base = scaled(whole.value, scale) + sign * noise[USUAL]
        return Limit(base, SIZES[USUAL], noise, floor, scale, shrinks=True, low=metric.higher_is_better)
    values = np.array([sign * scaled(estimate.value, scale) for estimate in windows])
    typical = float(np.median([estimate.n for estimate in windows]))
    return Limit(sign * reach(values), typical, noise, floor, scale, low=metric.higher_is_better)
