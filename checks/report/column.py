"""One column of two tables: its drift by a preset, its quality, and what moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from checks.base import Measurement, NotEnough, Window, labels
from checks.calibration.calibrate import Column, Key, column_limits
from checks.calibration.reference_windows import ReferenceWindows
from checks.data.arrow import Ints, finite, int_array
from checks.data.schema import FeatureType, Schema
from checks.drift.explanation import distribution, explained
from checks.drift.ranking import excess
from checks.inputs import CheckOptions, WindowData
from checks.limits import Calibration
from checks.profile import Binning, Profile
from checks.profile.binning import Bins, category_bins, number_bins
from checks.profile.summary import column_of
from checks.reference import Reference
from checks.report.result import ColumnReport, Preset, Role
from checks.report.tables import SourceColumn
from checks.run import CHECKS, run_checks

QUALITY = tuple(name for name in CHECKS if name.startswith("quality."))
FEWEST = 30  # values below which a calibrated limit says nothing
WINDOW = Window(0.0, 1.0)
_REASONS = {
    NotEnough.ALL_MISSING: "has no value in the current data",
    NotEnough.NOT_IN_REFERENCE: "has no value in the reference",
    NotEnough.TOO_FEW_ROWS: f"has fewer than {FEWEST} values in the current data",
    NotEnough.INSENSITIVE: "differs so much within the reference that no change could be told from that",
}


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How columns are compared."""

    preset: Preset = "calibrated"
    method: str | None = None
    bins: int = 10
    blocks: ReferenceWindows | None = None
    """The reference's own windows, whose differences set the limits."""
    order: Ints | None = None
    """The reference's rows in the order of time, where they are not."""


def compare_column(
    name: str, kind: FeatureType, role: Role, before: pa.Array, now: SourceColumn, plan: ColumnPlan, odd: int = 0
) -> ColumnReport:
    """The report of what is watched as `name`; `before` is all of it, as frames hold it, since bins and limits are
    learned from it; of it `odd` values are null for being of another type. Raises what the column makes its method
    raise."""
    shown = "categorical" if kind == "datetime" else kind
    bins = _bins(before, kind, plan)
    reference, data = _sides(name, kind, bins, before, now, plan, odd)
    normal, current = (
        reference.profile.columns[f"f:{name}"],
        data.profile.columns[f"f:{name}"] if data.profile else None,
    )
    assert current is not None
    rows = (len(before), now.rows)
    made = ColumnReport(name, shown, role)
    made = _drift(made, name, before, now, reference, data, plan)
    told = explained(name, bins, normal, current, rows, made.method or "")
    own = CheckOptions(min_rows=FEWEST, methods=())
    return replace(
        made,
        why=told["why"].removeprefix(f"{name}: "),
        mean=told.get("mean"),
        missing=told["missing"],
        moved=tuple(told["moved"]) if made.error is None else (),
        quality=_quality(run_checks(data, reference, own, only=QUALITY).measurements),
        distribution=distribution(name, bins, normal, current, rows),
    )


def _bins(before: pa.Array, kind: FeatureType, plan: ColumnPlan) -> Bins:
    return number_bins(finite(before)[0], plan.bins) if kind == "numeric" else category_bins(before)


def _sides(
    name: str, kind: FeatureType, bins: Bins, before: pa.Array, now: SourceColumn, plan: ColumnPlan, odd: int
) -> tuple[Reference, WindowData]:
    """The column alone, as checks take a reference and a window."""
    own = f"f:{name}"
    whole = column_of(before, bins, odd)
    keys: Mapping[str, Key] = {}
    if plan.preset == "calibrated" and plan.method is not None:
        keys = {plan.method: ("feature_drift", labels(feature=name, method=plan.method))}
    column = Column(own, before, bins, whole, len(before))
    limits = column_limits(column, plan.blocks, keys, np.random.default_rng(0))
    reference = Reference(
        Schema(None, ((name, "numeric" if kind == "numeric" else "categorical"),)),
        Binning({own: bins}),
        Profile(len(before), {own: whole}, b""),
        Calibration(limits),
        {},
        len(before),
    )
    return reference, WindowData(WINDOW, Profile(now.rows, {own: now.profiled(name, bins)}, b""), now.rows)


def _drift(
    made: ColumnReport,
    name: str,
    before: pa.Array,
    now: SourceColumn,
    reference: Reference,
    data: WindowData,
    plan: ColumnPlan,
) -> ColumnReport:
    if plan.preset == "calibrated":
        return _calibrated(made, reference, data, plan)
    # scipy, which presets are defined by, takes time to load that others need not wait for.
    from checks.drift.presets.compare import compare_exact

    kind: Any = made.type
    if plan.order is not None:
        before = before.take(int_array(plan.order))
    result = compare_exact(before, now.whole()[name], kind, plan.preset, plan.method)
    found = replace(
        made,
        method=result.method or None,
        statistic=result.statistic,
        value=result.value,
        threshold=result.threshold,
        drifted=result.drifted,
        n_reference=result.n_reference,
        n_current=result.n_current,
        error=result.error,
    )
    if not found.drifted:
        return found
    low, high = (found.threshold, None) if found.statistic == "p_value" else (None, found.threshold)
    told = Measurement("feature_drift", found.value, WINDOW, limit_low=low, limit_high=high)
    return replace(found, excess=excess(told))


def _calibrated(made: ColumnReport, reference: Reference, data: WindowData, plan: ColumnPlan) -> ColumnReport:
    own = CheckOptions(min_rows=FEWEST, methods=(plan.method or "psi",), quality=False)
    outcome = run_checks(data, reference, own, only=("drift.feature",))
    found = next((row for row in outcome.measurements if row.name == "feature_drift"), None)
    n = int(next(iter(reference.profile.columns.values())).counts.sum())
    if found is None or found.value is None:
        error = next(iter(outcome.errors.values()), f"{plan.method} is not for {made.type} columns")
        if found is not None and found.reason is not None:
            error = found.detail.get("error") or _REASONS.get(found.reason, str(found.reason))
        now = int(next(iter(data.profile.columns.values())).counts.sum()) if data.profile else 0
        gone = found is not None and found.value is None and (n > 0) != (now > 0)
        few = found is not None and found.reason == NotEnough.TOO_FEW_ROWS and n >= FEWEST
        count = found.n if found else 0
        return replace(made, method=plan.method, error=error, n_reference=n, n_current=count, changed=gone or few)
    limit = found.limit_high
    return replace(
        made,
        method=dict(found.labels)["method"],
        value=found.value,
        threshold=limit,
        drifted=limit is not None and found.value > limit,
        n_reference=n,
        n_current=found.n,
        excess=excess(found),
    )


def _quality(measured: list[Measurement]) -> dict[str, dict[str, float | None]]:
    return {
        row.name: {"value": row.value, "reference": row.reference, "limit": row.limit_high}
        for row in measured
        if row.value is not None
    }
