"""Share of a numeric feature's values that are NaN or infinite."""

from __future__ import annotations

from checks.base import Measurement
from checks.inputs import CheckOptions, WindowData
from checks.profile import NumberColumn
from checks.profile.summary import Column
from checks.quality.ratio import Share, ratios
from checks.reference import Reference


def non_finite_ratio(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`non_finite_ratio` by numeric feature, of the rows that hold a value."""
    return ratios("non_finite_ratio", _part, data, reference, options)


def _part(column: Column, rows: int) -> Share | None:
    if not isinstance(column, NumberColumn):
        return None
    return column.nan + column.infinite, rows - column.missing
