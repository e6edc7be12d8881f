"""What the quality checks share: one share a feature, with the reference's own and its limit."""

from __future__ import annotations

from collections.abc import Callable

from checks.base import Labels, Measurement, NotEnough, labels
from checks.inputs import CheckOptions, WindowData, error_of
from checks.profile import CategoryColumn, NumberColumn
from checks.profile.summary import Column
from checks.reference import Reference

Share = tuple[int, int]
"""Rows that are bad, and the rows they are a share of."""
Part = Callable[[Column, int], Share | None]
"""From a column and all rows; None where the check does not apply to such a column."""


def ratios(
    metric: str, part: Part, data: WindowData, reference: Reference | None, options: CheckOptions
) -> list[Measurement]:
    """The share of each feature; a column that raises is without a value, and no other is."""
    if reference is None or not options.quality:
        return []
    found = []
    for name, normal in reference.profile.columns.items():
        if not name.startswith("f:") or part(normal, reference.n) is None:
            continue
        of = labels(feature=name[2:])
        try:
            found.append(_measured(metric, part, name, of, data, reference))
        except Exception as error:  # noqa: BLE001 - the loop's boundary: told as the column's own measurement
            detail = {"error": f"{type(error).__name__}: {error}"}
            found.append(Measurement(metric, None, data.window, of, data.n, NotEnough.ERROR, detail=detail))
    return found


def _measured(metric: str, part: Part, name: str, of: Labels, data: WindowData, reference: Reference) -> Measurement:
    if error := error_of(name, data.profile, reference.profile):
        return Measurement(metric, None, data.window, of, data.n, NotEnough.ERROR, detail={"error": error})
    now = data.profile.columns[name] if data.profile and data.n else None
    share = part(now, data.n) if now else None
    if now is None or share is None:
        return Measurement(metric, None, data.window, of, 0, NotEnough.NO_ROWS)
    bad, rows = share
    if rows == 0:
        return Measurement(metric, None, data.window, of, 0, NotEnough.ALL_MISSING)
    before = part(reference.profile.columns[name], reference.n)
    return Measurement(
        metric,
        bad / rows,
        data.window,
        of,
        rows,
        reference=before[0] / before[1] if before and before[1] else None,
        limit_high=reference.calibration.limit(metric, of, rows),
        detail=_examples(metric, now),
    )


def _examples(metric: str, now: Column) -> dict[str, object]:
    if metric == "new_category_ratio" and isinstance(now, CategoryColumn) and now.examples:
        return {"new": dict(list(now.examples.items())[:5])}
    if metric == "out_of_range_ratio" and isinstance(now, NumberColumn) and now.finite:
        return {"low": now.low, "high": now.high}
    return {}
