"""Drift of a window's rows by a preset, as the measurements that drift of profiles has, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from checks.base import Labels, Measurement, NotEnough, labels
from checks.data.schema import Schema
from checks.drift.compare import too_little, why_of
from checks.drift.presets.compare import METHODS, compare_exact, usual_method
from checks.drift.presets.result import EVIDENTLY_SHARE, ColumnResult, Kind
from checks.drift.ranking import counted, ordered
from checks.inputs import CheckOptions, WindowData
from checks.reference import Reference


def exact_feature_drift(data: WindowData, reference: Reference, options: CheckOptions) -> list[Measurement]:
    """`feature_drift` by feature and method, and how many features the preset itself calls drifted. Nothing where no
    rows are given: its definitions are of rows alone."""
    if data.exact is None:
        return []
    names = [name for name in reference.binning.columns if name.startswith("f:") and name[2:] not in options.ignore]
    found: list[Measurement] = []
    for name in names:
        found.extend(_measured("feature_drift", name, labels(feature=name[2:]), data, reference, options))
    return [*found, _counted([measurement for measurement in found if not measurement.secondary], data, options)]


def exact_prediction_drift(
    name: str, data: WindowData, reference: Reference, options: CheckOptions
) -> list[Measurement]:
    """`prediction_drift` of the frame's column `name`, by method; nothing where no rows are given."""
    if data.exact is None:
        return []
    return list(_measured("prediction_drift", name, labels(), data, reference, options))


def _measured(
    metric: str, name: str, own: Labels, data: WindowData, reference: Reference, options: CheckOptions
) -> Iterator[Measurement]:
    assert options.preset is not None
    assert data.exact is not None
    kind = kind_of(name, reference.schema)
    reason = too_little(data, data.n, options)
    for place, method in enumerate(_methods(kind, options)):
        normal = data.exact.reference()[name]
        # A series keeps its name where there is nothing to choose a method by.
        usual = method or usual_method(normal, kind, options.preset)
        if reason is not None:
            of = labels(method=usual, **dict(own))
            yield Measurement(metric, None, data.window, of, data.n, reason, secondary=place > 0)
            continue
        current = data.exact.current()
        now = current[name] if name in current.column_names else pa.nulls(data.n, normal.type)
        result = compare_exact(normal, now, kind, options.preset, method)
        of = labels(method=result.method or usual, **dict(own))
        yield replace(_told(metric, name, of, result, data, reference), secondary=place > 0)


def _told(
    metric: str, name: str, of: Labels, result: ColumnResult, data: WindowData, reference: Reference
) -> Measurement:
    if result.value is None:
        reason = NotEnough.ERROR
        if not result.n_reference:
            reason = NotEnough.NOT_IN_REFERENCE
        elif not result.n_current:
            reason = NotEnough.ALL_MISSING
        detail = {"error": result.error}
        return Measurement(metric, None, data.window, of, result.n_current, reason, detail=detail)
    told: dict[str, Any] = {
        "statistic": result.statistic,
        "drifted": result.drifted,
        **why_of(name, data, reference, result.method),
    }
    return Measurement(
        metric,
        result.value,
        data.window,
        of,
        result.n_current,
        limit_low=result.limit_low,
        limit_high=result.limit_high,
        detail=told,
    )


def _methods(kind: Kind, options: CheckOptions) -> Sequence[str | None]:
    """Those of the options that the preset has for this kind; its own choice where the options name none."""
    assert options.preset is not None
    if not options.methods:
        return [None]
    return [method for method in options.methods if method in METHODS[options.preset][kind]]


def kind_of(name: str, schema: Schema) -> Kind:
    """What a frame's column holds."""
    if name.startswith("f:"):
        kind = dict(schema.watched)[name[2:]]
        return "categorical" if kind == "datetime" else kind
    return "numeric" if name == "score" or schema.task == "regression" else "categorical"


def _counted(measured: list[Measurement], data: WindowData, options: CheckOptions) -> Measurement:
    drifted = [measurement for measurement in measured if measurement.detail.get("drifted")]
    count = counted(measured, ordered(drifted, options.importance), data, options)
    if options.preset != "evidently" or count.value is None:
        return count
    verdict = count.value / count.detail["compared"] >= EVIDENTLY_SHARE
    return replace(count, detail={**count.detail, "dataset_drifted": verdict})
