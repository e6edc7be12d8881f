"""Share of a numeric feature's values outside the reference's range."""

from __future__ import annotations

from checks.base import Measurement
from checks.inputs import CheckOptions, WindowData
from checks.profile import NumberColumn
from checks.profile.summary import Column
from checks.quality.ratio import Share, ratios
from checks.reference import Reference


def out_of_range_ratio(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`out_of_range_ratio` by numeric feature, of its finite values."""
    return ratios("out_of_range_ratio", _part, data, reference, options)


def _part(column: Column, rows: int) -> Share | None:
    if not isinstance(column, NumberColumn):
        return None
    return int(column.counts[0] + column.counts[-1]), column.finite
