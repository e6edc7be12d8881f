"""What a numeric column's profile holds is what numpy finds in its values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.profile.binning import MOST_SORTED, NumberBins, number_bins
from checks.profile.numbers import MOST_COMPARED, NumberColumn, numbers

BINS = NumberBins((-2.0, -0.5, 0.5, 3.0, 100.0))
KINDS = ["float64", "float32", "int8", "int16", "int64", "uint8", "uint32"]

values = st.lists(st.one_of(st.none(), st.integers(0, 120), st.sampled_from([0, 0, 1, 3, 100])), max_size=80)


def check(column: NumberColumn, given_values: list[float], bins: NumberBins) -> None:
    finite = np.array([value for value in given_values if math.isfinite(value)])
    places = np.searchsorted(np.array(bins.edges), finite, "right")
    assert column.counts.tolist() == np.bincount(places, minlength=bins.size).tolist()
    assert column.sums == pytest.approx(np.bincount(places, finite, minlength=bins.size), rel=1e-12, abs=1e-9)
    assert column.zeros == np.count_nonzero(finite == 0)
    if len(finite):
        assert (column.low, column.high) == (finite.min(), finite.max())
        assert column.mean == pytest.approx(finite.mean(), rel=1e-12, abs=1e-12)
        assert column.std == pytest.approx(finite.std(), rel=1e-9, abs=1e-9)


@settings(max_examples=60)
@given(values, st.sampled_from(KINDS), st.integers(0, 5))
def test_every_number_type_in_chunks_and_slices(given_values: list[Any], kind: str, cut: int) -> None:
    array = pa.array(given_values, getattr(pa, kind)())
    column = pa.chunked_array([array.slice(0, cut), array.slice(cut)])
    made = numbers(column, BINS, 0)
    assert made.missing == given_values.count(None)
    check(made, [float(value) for value in given_values if value is not None], BINS)


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.floats(-1e5, 1e5), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0])), max_size=60)
)
def test_nan_and_infinity_are_counted_apart(given_values: list[float]) -> None:
    made = numbers(pa.array(given_values, pa.float64()), BINS, 0)
    assert made.nan == sum(map(math.isnan, given_values))
    assert made.infinite == sum(map(math.isinf, given_values))
    check(made, given_values, BINS)


def test_more_values_than_are_sorted_at_a_time() -> None:
    drawn = np.random.default_rng(3).lognormal(size=200_001)
    bins = number_bins(drawn[:1000], 10)
    check(numbers(pa.array(drawn), bins, 0), drawn.tolist(), bins)


def test_decimals_and_booleans_are_numbers() -> None:
    decimals = pa.array([1, 2, None], pa.int64()).cast(pa.decimal128(21, 2))
    assert numbers(decimals, BINS, 0).counts.tolist() == [0, 0, 0, 2, 0, 0]
    assert numbers(pa.array([True, False, None]), BINS, 0).counts.tolist() == [0, 0, 1, 1, 0, 0]


def test_a_reference_without_values_still_counts_and_sums() -> None:
    made = numbers(pa.array([1.5, 2.5, None, math.nan]), NumberBins(()), 0)
    assert (made.counts.tolist(), made.sums.tolist(), made.missing, made.nan) == ([2, 0], [4.0, 0.0], 1, 1)


def test_sums_past_the_largest_float_break_nothing_else() -> None:
    made = numbers(pa.array([1e308, 1.7e308, -1.7e308, -1e308]), BINS, 0)
    assert made.counts.tolist() == [2, 0, 0, 0, 0, 2]
    assert (made.sums[0], made.sums[-1]) == (-math.inf, math.inf)
    assert made.mean == pytest.approx(0.0, abs=1e300)


def test_more_edges_than_are_compared_one_by_one() -> None:
    drawn = np.random.default_rng(5).normal(size=30_000)
    bins = number_bins(drawn, MOST_COMPARED + 50)
    assert len(bins.edges) > MOST_COMPARED
    values = [*drawn.tolist(), *bins.edges]
    check(numbers(pa.array(values), bins, 0), values, bins)


def test_bins_of_very_many_values_come_from_a_sample_and_span_all_of_them() -> None:
    drawn = np.random.default_rng(6).lognormal(size=2 * MOST_SORTED)
    bins = number_bins(drawn, 10)
    assert bins == number_bins(drawn, 10)
    shares = np.histogram(drawn, bins.edges)[0] / len(drawn)
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.002)
    assert bins.edges[0] <= drawn.min()
    assert bins.edges[-1] > drawn.max()
