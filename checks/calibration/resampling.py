"""Samples of the reference, as sampling alone would give them: counts by bin, and the sums of their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from checks.data.arrow import Codes, Floats, finite, float_array
from checks.drift.binned_rows import BinnedRows
from checks.profile import CategoryBins, NumberBins
from checks.profile.summary import codes_of

Column: TypeAlias = pa.Array | pa.ChunkedArray
RESAMPLED = 300  # samples of so many rows at most are drawn row by row


LOOKED_AT = 50_000  # rows by which the spread within bins is known


@dataclass(frozen=True, slots=True)
class Resampling:
    """Some of the reference's values with their places, and how values are spread within each entry of the counts."""

    values: Floats
    codes: Codes
    mean: Floats
    std: Floats
    low: Floats
    high: Floats


def within_bins(
    column: Column, bins: NumberBins | CategoryBins, total: BinnedRows, rng: np.random.Generator
) -> Resampling:
    """Of a reference's column of numbers, whose rows are `total` in all."""
    values = finite(column)[0]
    if len(values) > LOOKED_AT:
        values = values[rng.integers(0, len(values), LOOKED_AT)]
    codes = codes_of(float_array(values), bins)
    size = total.counts.shape[-1]
    assert total.sums is not None
    mean = total.sums / np.maximum(total.counts, 1)
    seen = np.maximum(np.bincount(codes, minlength=size), 1)
    std = np.sqrt(np.bincount(codes, (values - mean[codes]) ** 2, size) / seen)
    low, high = mean.copy(), mean.copy()
    np.minimum.at(low, codes, values)
    np.maximum.at(high, codes, values)
    return Resampling(values, codes, mean, std, low, high)


def drawn(total: BinnedRows, within: Resampling | None, size: int, draws: int, rng: np.random.Generator) -> BinnedRows:
    """So many samples of `size` rows each, with the reference's shares.

    Small ones are drawn from its rows. Of larger ones the counts are multinomial, and the sum of the rows in an entry
    is normal with the entry's mean and variance, within what it could be at all.
    """
    if within is not None and size <= RESAMPLED:
        return _resampled(total, within, size, draws, rng)
    counts = rng.multinomial(size, total.counts / total.n, draws)
    if within is None:
        return BinnedRows(counts)
    noise = np.sqrt(counts) * within.std * rng.standard_normal(counts.shape)
    return BinnedRows(counts, np.clip(counts * within.mean + noise, counts * within.low, counts * within.high))


def _resampled(total: BinnedRows, within: Resampling, size: int, draws: int, rng: np.random.Generator) -> BinnedRows:
    picked = rng.integers(0, len(within.values), size * draws)
    entries = total.counts.shape[-1]
    cells = np.repeat(np.arange(draws) * entries, size) + within.codes[picked]
    counts = np.bincount(cells, minlength=draws * entries).reshape(draws, entries)
    sums: Floats = np.bincount(cells, within.values[picked], draws * entries).astype(np.float64)
    return BinnedRows(counts, sums.reshape(draws, entries))
