"""Share of values whose type is not the schema's."""

from __future__ import annotations

from checks.base import Measurement
from checks.inputs import CheckOptions, WindowData
from checks.profile.summary import Column
from checks.quality.ratio import Share, ratios
from checks.reference import Reference


def type_mismatch_ratio(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`type_mismatch_ratio` by feature, of the rows that hold a value: text for a number, a list for anything."""
    return ratios("type_mismatch_ratio", _part, data, reference, options)


def _part(column: Column, rows: int) -> Share:
    return column.mismatched, rows - column.missing
