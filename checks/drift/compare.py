"""One column of a window held against the reference: its distance, its limit, and what moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.base import Labels, Measurement, NotEnough
from checks.drift.methods import METHODS
from checks.drift.moved import explained
from checks.inputs import CheckOptions, WindowData, error_of
from checks.reference import Reference

FEWEST = 30  # present values below which a distance says nothing, however many rows there are


def compare(
    metric: str,
    columns: Mapping[str, Labels],
    method: str,
    data: WindowData,
    reference: Reference,
    options: CheckOptions,
) -> Iterator[Measurement]:
    """The drift of these columns (frame name → labels) by one method.

    Drift is over present, finite values: what is missing or odd is measured by quality checks, once.
    A column that raises is without a value, and no other is.
    """
    for name, of in columns.items():
        try:
            yield _compared(metric, name, of, method, data, reference, options)
        except Exception as error:  # noqa: BLE001 - the loop's boundary: told as the column's own measurement
            detail = {"error": f"{type(error).__name__}: {error}"}
            yield Measurement(metric, None, data.window, of, data.n, NotEnough.ERROR, detail=detail)


def _compared(
    metric: str, name: str, of: Labels, method: str, data: WindowData, reference: Reference, options: CheckOptions
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
    reason = _too_little(data, n, options)
    if reason is not None or now is None:
        return Measurement(metric, None, data.window, of, n, reason or NotEnough.NO_ROWS)
    value = float(METHODS[method].distance(before, counts))
    limit = reference.calibration.limit(metric, of, n)
    detail = explained(name.removeprefix("f:"), bins, normal, now, (reference.n, data.n), method)
    return Measurement(metric, value, data.window, of, n, limit_high=limit, detail=detail)


def _too_little(data: WindowData, present: int, options: CheckOptions) -> NotEnough | None:
    if data.n == 0:
        return NotEnough.NO_ROWS
    if data.n < options.min_rows:
        return NotEnough.TOO_FEW_ROWS
    if present == 0:
        return NotEnough.ALL_MISSING
    return NotEnough.TOO_FEW_ROWS if present < min(options.min_rows, FEWEST) else None
