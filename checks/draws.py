"""Samples of the reference, as sampling alone would give them: counts by bin, and the sums of their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from checks.arrow import Codes, Floats, floats
from checks.drift.rows import Rows

RESAMPLED = 300  # samples of so many rows at most are drawn row by row


@dataclass(frozen=True, slots=True)
class Within:
    """The reference's present values, and how they are spread within each entry of a column's counts."""

    values: Floats
    codes: Codes
    mean: Floats
    std: Floats
    low: Floats
    high: Floats


def within_bins(column: pa.ChunkedArray, codes: Codes, size: int) -> Within:
    """Of a column of numbers whose rows have these places among `size` entries; entries without rows are all 0."""
    values = floats(column)[0][codes >= 0]
    codes = codes[codes >= 0]
    counts = np.bincount(codes, minlength=size)
    filled = np.maximum(counts, 1)
    mean = np.bincount(codes, values, size) / filled
    std = np.sqrt(np.bincount(codes, (values - mean[codes]) ** 2, size) / filled)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, codes, values)
    np.maximum.at(high, codes, values)
    return Within(values, codes, mean, std, np.where(counts, low, 0.0), np.where(counts, high, 0.0))


def drawn(total: Rows, within: Within | None, size: int, draws: int, rng: np.random.Generator) -> Rows:
    """So many samples of `size` rows each, with the reference's shares.

    Small ones are drawn from its rows. Of larger ones the counts are multinomial, and the sum of the rows in an entry
    is normal with the entry's mean and variance, within what it could be at all.
    """
    if within is not None and size <= RESAMPLED:
        return _resampled(total, within, size, draws, rng)
    counts = rng.multinomial(size, total.counts / total.n, draws)
    if within is None:
        return Rows(counts)
    noise = np.sqrt(counts) * within.std * rng.standard_normal(counts.shape)
    return Rows(counts, np.clip(counts * within.mean + noise, counts * within.low, counts * within.high))


def _resampled(total: Rows, within: Within, size: int, draws: int, rng: np.random.Generator) -> Rows:
    picked = rng.integers(0, len(within.values), size * draws)
    entries = total.counts.shape[-1]
    cells = np.repeat(np.arange(draws) * entries, size) + within.codes[picked]
    counts = np.bincount(cells, minlength=draws * entries).reshape(draws, entries)
    sums: Floats = np.bincount(cells, within.values[picked], draws * entries).astype(np.float64)
    return Rows(counts, sums.reshape(draws, entries))
