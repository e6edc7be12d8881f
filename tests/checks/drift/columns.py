"""Columns of rows under the bins of a reference, as drift methods see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from checks.data.arrow import float_array, string_array
from checks.drift.binned_rows import BinnedReference, BinnedRows
from checks.profile import Binning, profile
from checks.profile.binning import category_bins, number_bins
from checks.profile.summary import Column


def numbers(reference: Any, *others: Any, bins: int = 10) -> tuple[BinnedReference, list[BinnedRows]]:
    """The ground that a reference of numbers gives, and its rows and the others' under it."""
    own = number_bins(np.asarray(reference, np.float64), bins)
    columns = [_profiled(float_array(np.asarray(side, np.float64)), own) for side in (reference, *others)]
    return BinnedReference.of(own, columns[0]), [BinnedRows.of(column) for column in columns]


def categories(reference: Sequence[str], *others: Sequence[str]) -> tuple[BinnedReference, list[BinnedRows]]:
    """As `numbers`, of text."""
    own = category_bins(pa.chunked_array([string_array(reference)]))
    columns = [_profiled(string_array(side), own) for side in (reference, *others)]
    return BinnedReference.of(own, columns[0]), [BinnedRows.of(column) for column in columns]


def stacked(rows: Sequence[BinnedRows]) -> BinnedRows:
    """Windows as one matrix."""
    sums = [side.sums for side in rows if side.sums is not None]
    return BinnedRows(np.array([side.counts for side in rows]), np.array(sums) if sums else None)


def _profiled(column: pa.Array, bins: Any) -> Column:
    return profile(pa.table({"f:x": column}), Binning({"f:x": bins})).columns["f:x"]
