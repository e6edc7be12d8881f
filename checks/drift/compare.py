"""Columns of a window held against the reference: their distances, their limits, and what moved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from checks.base import Labels, Measurement, NotEnough, labels
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.explanation import explained
from checks.drift.methods.method import Method
from checks.drift.methods.registry import METHODS
from checks.inputs import CheckOptions, WindowData, error_of
from checks.profile import NumberColumn
from checks.profile.summary import Column
from checks.reference import Reference

SILENT = {"rows": NotEnough.TOO_FEW_ROWS, "reference": NotEnough.INSENSITIVE}
FEWEST = 30  # present values below which a distance says nothing, however many rows there are


def applying(name: str, methods: Sequence[str], reference: Reference) -> list[str]:
    """Those of the methods that are for this column, in their order."""
    ground = BinnedReference.of(reference.binning.columns[name], reference.profile.columns[name])
    return [method for method in methods if METHODS[method].applies(ground)]


def compare(
    metric: str,
    columns: Mapping[str, Labels],
    data: WindowData,
    reference: Reference,
    options: CheckOptions,
) -> Iterator[Measurement]:
    """The drift of these columns (frame name → labels without the method), each by all methods that are for it.

    The first of them judges the column; the others' measurements stand aside. Drift is over present, finite values:
    what is missing or odd is measured by quality checks, once. A column that raises is without a value, and no other
    is.
    """
    for name, own in columns.items():
        for place, method in enumerate(applying(name, options.methods, reference)):
            of = labels(method=method, **dict(own))
            try:
                found = _compared(metric, name, of, METHODS[method], data, reference, options)
            except Exception as error:  # noqa: BLE001 - the loop's boundary: told as the column's own measurement
                detail = {"error": f"{type(error).__name__}: {error}"}
                found = Measurement(metric, None, data.window, of, data.n, NotEnough.ERROR, detail=detail)
            yield replace(found, secondary=place > 0)


def _compared(
    metric: str, name: str, of: Labels, method: Method, data: WindowData, reference: Reference, options: CheckOptions
) -> Measurement:
    if error := error_of(name, data.profile, reference.profile):
        return Measurement(metric, None, data.window, of, data.n, NotEnough.ERROR, detail={"error": error})
    normal = reference.profile.columns[name]
    bins = reference.binning.columns[name]
    before = bins.inner(normal.counts)
    if before.sum() == 0:
        return Measurement(metric, None, data.window, of, 0, NotEnough.NOT_IN_REFERENCE)
    now = data.profile.columns[name] if data.profile else None
    counts = bins.inner(now.counts) if now else before[:0]
    n = int(counts.sum())
    reason = too_little(data, n, options)
    if reason is not None or now is None:
        return Measurement(metric, None, data.window, of, n, reason or NotEnough.NO_ROWS)
    sides = int(before.sum()), n
    distance, detail = _measured(method, BinnedReference.of(bins, normal), normal, now)
    own = reference.calibration.limits.get((metric, of))
    limit = None if own is None else own.at(n, data.window.seconds)
    if own is not None and limit is not None and distance <= limit and (silent := own.silent(n, limit)):
        told = {"distance": float(f"{distance:.6g}"), "limit": float(f"{limit:.6g}")}
        return Measurement(metric, None, data.window, of, n, SILENT[silent], detail=told)
    detail |= why_of(name, data, reference, dict(of)["method"])
    return Measurement(
        metric,
        method.shown(distance, *sides),
        data.window,
        of,
        n,
        limit_high=None if limit is None else method.shown(limit, *sides),
        detail=detail,
    )


def _measured(method: Method, ground: BinnedReference, normal: Column, now: Column) -> tuple[float, dict[str, Any]]:
    """The distance, and what to know of it beyond its number."""
    reference, current = BinnedRows.of(normal), BinnedRows.of(now)
    distance = float(method.distance(ground, reference, current))
    if not math.isfinite(distance):
        raise ArithmeticError("the values are too large to be compared")
    detail: dict[str, Any] = {}
    if method.statistic is not None:
        detail["effect"] = float(f"{distance:.6g}")
    if method.bound is not None and isinstance(normal, NumberColumn) and isinstance(now, NumberColumn):
        low, high = method.bound(ground, reference, current, min(normal.low, now.low), max(normal.high, now.high))
        detail["bound"] = {"low": float(f"{low:.6g}"), "high": float(f"{high:.6g}")}
    return distance, detail


def why_of(name: str, data: WindowData, reference: Reference, method: str) -> dict[str, Any]:
    """What of a frame's column moved, for people; nothing where a side has no profile of it."""
    if data.profile is None or error_of(name, data.profile, reference.profile):
        return {}
    bins, normal, now = reference.binning.columns[name], reference.profile.columns[name], data.profile.columns[name]
    return explained(name.removeprefix("f:"), bins, normal, now, (reference.n, data.n), method)


def too_little(data: WindowData, present: int, options: CheckOptions) -> NotEnough | None:
    if data.n == 0:
        return NotEnough.NO_ROWS
    if data.n < options.min_rows:
        return NotEnough.TOO_FEW_ROWS
    if present == 0:
        return NotEnough.ALL_MISSING
    return NotEnough.TOO_FEW_ROWS if present < min(options.min_rows, FEWEST) else None
