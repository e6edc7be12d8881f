"""Share of rows in which a feature is missing."""

from __future__ import annotations

from checks.base import Measurement
from checks.inputs import CheckOptions, WindowData
from checks.profile import NumberColumn
from checks.profile.summary import Column
from checks.quality.ratio import Share, ratios
from checks.reference import Reference


def missing_ratio(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`missing_ratio` by feature; a NaN is missing, too, and a column without any value measures 1."""
    return ratios("missing_ratio", _part, data, reference, options)


def _part(column: Column, rows: int) -> Share:
    return column.missing + (column.nan if isinstance(column, NumberColumn) else 0), rows
