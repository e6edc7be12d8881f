"""A reference whose counts are of other rows than those that its bins and limits were made from.

Its limits keep what the first rows showed of how windows differ, in two ways. A drift limit is on a scale on which the
distance of two samples of n and m rows grows with 1/n + 1/m, so it is multiplied by 1 + n/m for the m rows that are
compared with now, and divided by the same for those that it was made from. A limit of a share lies as far above the
share of the new rows as it lay above that of the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checks.base import Labels
from checks.calibration.calibrate_drift import reachable
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.drift.methods.registry import METHODS
from checks.limits import SIZES, Calibration, Limit
from checks.profile import CategoryColumn, NumberColumn, Profile
from checks.profile.summary import Column
from checks.reference import Reference, watched_prediction

DRIFT = ("feature_drift", "prediction_drift")


def rebase(base: Reference, profile: Profile) -> Reference:
    """The reference with these counts, made under its bins; performance stays that of the first rows."""
    limits = rebased_limits(base, profile)
    return replace(base, profile=profile, calibration=Calibration(limits), n=profile.n)


def rebased_limits(base: Reference, profile: Profile) -> Mapping[tuple[str, Labels], Limit]:
    """The reference's limits for a comparison with these counts."""
    found = dict(base.calibration.limits)
    predicted = watched_prediction(base.binning)
    for (metric, of), limit in base.calibration.limits.items():
        feature = dict(of).get("feature")
        name = f"f:{feature}" if feature else predicted
        if name is None or name not in profile.columns:
            continue
        before, now = base.profile.columns[name], profile.columns[name]
        if metric in DRIFT:
            scaled = _scaled(limit, int(before.counts.sum()), int(now.counts.sum()))
            method, bins = METHODS[dict(of)["method"]], base.binning.columns[name]
            found[metric, of] = replace(
                scaled, reachable=reachable(method, BinnedReference.of(bins, now), BinnedRows.of(now))
            )
        else:
            step = _share(metric, now, profile.n) - _share(metric, before, base.n)
            found[metric, of] = _shifted(limit, step)
    return found


def _scaled(limit: Limit, before: int, now: int) -> Limit:
    if not before or not now:
        return limit

    def scaled(value: float, size: float) -> float:
        return value * (1 + size / now) / (1 + size / before)

    return replace(
        limit,
        base=scaled(limit.base, limit.rows),
        noise=tuple(scaled(value, size) for size, value in zip(SIZES, limit.noise, strict=True)),
        longer=tuple(span._replace(base=scaled(span.base, span.rows)) for span in limit.longer),
    )


def _shifted(limit: Limit, step: float) -> Limit:
    base, floor = (min(max(value + step, 0.0), 1.0) for value in (limit.base, limit.floor))
    return replace(limit, base=base, floor=floor)


def _share(metric: str, column: Column, rows: int) -> float:
    """As the quality checks measure it."""
    held = rows - column.missing
    number = column if isinstance(column, NumberColumn) else None
    if metric == "missing_ratio":
        bad, of = column.missing + (number.nan if number else 0), rows
    elif metric == "type_mismatch_ratio":
        bad, of = column.mismatched, held
    elif metric == "non_finite_ratio" and number:
        bad, of = number.nan + number.infinite, held
    elif metric == "out_of_range_ratio" and number:
        bad, of = int(number.counts[0] + number.counts[-1]), number.finite
    elif metric == "new_category_ratio" and isinstance(column, CategoryColumn):
        bad, of = int(column.counts[-1]), column.present
    else:
        return 0.0
    return bad / of if of else 0.0
