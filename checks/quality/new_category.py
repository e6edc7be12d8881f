"""Share of a categorical feature's values that the reference does not know."""

from __future__ import annotations

from checks.base import Measurement
from checks.inputs import CheckOptions, WindowData
from checks.profile import CategoryColumn
from checks.profile.summary import Column
from checks.quality.ratio import Share, ratios
from checks.reference import Reference


def new_category_ratio(data: WindowData, reference: Reference | None, options: CheckOptions) -> list[Measurement]:
    """`new_category_ratio` by categorical or boolean feature, of the values present; some are named in `detail`."""
    return ratios("new_category_ratio", _part, data, reference, options)


def _part(column: Column, rows: int) -> Share | None:
    if not isinstance(column, CategoryColumn):
        return None
    return int(column.counts[-1]), column.present
