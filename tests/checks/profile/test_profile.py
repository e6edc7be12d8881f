"""Profiles add up, whatever the split."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.profile import (
    Binning,
    CategoryBins,
    CategoryColumn,
    NumberBins,
    NumberColumn,
    Profile,
    ProfileError,
    empty,
    make_binning,
    merge,
    profile,
)
from checks.profile.binning import category_bins, number_bins
from checks.profile.summary import codes_of
from checks.schema import Schema

SCHEMA = Schema("binary", (("v", "numeric"), ("c", "categorical")), classes=("a", "b"), positive_class="b")
REFERENCE = pa.table(
    {
        "f:v": pa.array([float(i % 50) for i in range(1000)]),
        "f:c": pa.array([f"c{i % 30 if i % 30 < 12 else i % 11}" for i in range(1000)]),
        "prediction": pa.array(["a", "b"] * 500),
        "score": pa.array([i / 1000 for i in range(1000)]),
    }
)
BINNING = make_binning(REFERENCE, SCHEMA, 10)

numbers = st.one_of(
    st.none(), st.floats(-1e6, 1e6), st.integers(-5, 60).map(float), st.sampled_from([math.nan, math.inf, -math.inf])
)
texts = st.one_of(st.none(), st.sampled_from([f"c{i}" for i in range(15)] + ["new", "", "é"]))
rows = st.lists(st.tuples(numbers, texts, st.sampled_from(["a", "b", "z", None]), st.booleans()), max_size=60)


def frame(given_rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.table(
        {
            "f:v": pa.array([None if odd else v for v, _, _, odd in given_rows], pa.float64()),
            "m:v": pa.array(["odd" if odd else None for _, _, _, odd in given_rows], pa.string()),
            "f:c": pa.array([c for _, c, _, _ in given_rows], pa.string()),
            "prediction": pa.array([p for _, _, p, _ in given_rows], pa.string()),
        }
    )


def same(a: Profile, b: Profile) -> None:
    assert (a.n, a.fingerprint, list(a.columns)) == (b.n, b.fingerprint, list(b.columns))
    for name, left in a.columns.items():
        right = b.columns[name]
        assert left.missing == right.missing
        assert left.mismatched == right.mismatched
        assert left.counts.tolist() == right.counts.tolist()
        if isinstance(left, CategoryColumn):
            assert isinstance(right, CategoryColumn)
            assert left.examples == right.examples
            assert left.distinct == right.distinct
            continue
        assert isinstance(right, NumberColumn)
        assert (left.nan, left.infinite, left.low, left.high) == (right.nan, right.infinite, right.low, right.high)
        assert left.zeros == right.zeros
        assert left.sums == pytest.approx(right.sums, rel=1e-9, abs=1e-6)
        assert left.mean == pytest.approx(right.mean, rel=1e-9, abs=1e-6)
        assert left.m2 == pytest.approx(right.m2, rel=1e-6, abs=1e-3)


@settings(max_examples=60)
@given(rows, st.data())
def test_merging_any_split_is_the_whole(all_rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(all_rows)), max_size=4)))
    ends = [0, *cuts, len(all_rows)]
    parts = [profile(frame(all_rows[a:b]), BINNING) for a, b in itertools.pairwise(ends)]
    whole = profile(frame(all_rows), BINNING)
    forward, backward = empty(BINNING), empty(BINNING)
    for part in parts:
        forward = merge(forward, part)
    for part in reversed(parts):
        backward = merge(part, backward)
    same(forward, whole)
    same(backward, whole)
    same(merge(parts[0], merge(parts[-1], whole)), merge(merge(parts[0], parts[-1]), whole))
    same(merge(whole, empty(BINNING)), whole)


@settings(max_examples=30)
@given(rows)
def test_bytes_there_and_back(all_rows: list[tuple[Any, ...]]) -> None:
    made = profile(frame(all_rows), BINNING)
    same(Profile.from_bytes(made.to_bytes(), BINNING), made)


@settings(max_examples=40)
@given(rows)
def test_every_row_is_counted_once(all_rows: list[tuple[Any, ...]]) -> None:
    made = profile(frame(all_rows), BINNING)
    value = made.columns["f:v"]
    assert isinstance(value, NumberColumn)
    assert value.missing + value.nan + value.infinite + value.mismatched + value.finite == len(all_rows)
    text = made.columns["f:c"]
    assert isinstance(text, CategoryColumn)
    assert text.missing + text.mismatched + text.present == len(all_rows)
    for name in ("f:v", "f:c"):
        codes = codes_of(frame(all_rows)[name], BINNING.columns[name])
        counts = np.bincount(codes[codes >= 0], minlength=BINNING.columns[name].size)
        assert counts.tolist() == made.columns[name].counts.tolist()


def test_moments_of_numbers() -> None:
    column = profile(REFERENCE, BINNING).columns["f:v"]
    assert isinstance(column, NumberColumn)
    values = np.arange(1000) % 50
    assert column.mean == pytest.approx(values.mean())
    assert column.std == pytest.approx(values.std())
    assert (column.low, column.high) == (0.0, 49.0)


def test_huge_values_overflow_nothing() -> None:
    column = profile(frame([(1e308, None, None, False), (-1e308, None, None, False)]), BINNING).columns["f:v"]
    assert isinstance(column, NumberColumn)
    assert column.mean == 0.0
    assert column.finite == 2


def test_a_column_that_the_frame_lacks_is_missing() -> None:
    made = profile(pa.table({"f:v": [1.0, 2.0]}), BINNING)
    assert made.columns["f:c"].missing == 2
    assert made.columns["score"].missing == 2


def test_quantile_bins_are_about_equally_full() -> None:
    values = np.random.default_rng(1).lognormal(size=10_000)
    bins = number_bins(values, 10)
    counts = np.histogram(values, bins.edges)[0]
    assert len(counts) == 10
    assert counts.min() >= 990
    assert counts.max() <= 1010


def test_a_frequent_value_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(600), np.linspace(1, 2, 400)])
    bins = number_bins(values, 10)
    counts = np.histogram(values, bins.edges)[0].tolist()
    assert counts[0] == 600
    assert len(counts) >= 4


def test_few_values_have_a_bin_each_and_edges_between_them() -> None:
    assert number_bins(np.array([0.0, 1.0, 2.0] * 10), 10).edges[1:-1] == (0.5, 1.5)


def test_the_last_digits_of_a_float_move_nothing() -> None:
    single = np.random.default_rng(2).normal(size=500).astype(np.float32)
    double = np.array([float(str(value)) for value in single])
    bins = number_bins(single.astype(np.float64), 10)
    counts = [np.searchsorted(np.array(bins.edges), values, "right").tolist() for values in (single, double)]
    assert counts[0] == counts[1]
    assert 0 not in counts[0]


def test_a_constant_and_an_empty_column() -> None:
    constant = number_bins(np.full(5, 3.0), 10)
    assert constant.size == 3
    assert constant.inner(np.array([0, 5, 2])).tolist() == [0, 5, 2]
    assert len(constant.inner_names) == 3
    assert number_bins(np.zeros(0), 10) == NumberBins(())
    nothing = Binning({"f:v": NumberBins(())})
    assert profile(pa.table({"f:v": [1.0, None]}), nothing).columns["f:v"].counts.tolist() == [1, 0]


def test_what_is_out_of_range_counts_in_the_outermost_bins_for_drift() -> None:
    bins = NumberBins((0.0, 1.0, 2.0))
    assert bins.inner(np.array([4, 1, 2, 3])).tolist() == [5, 5]
    assert bins.inner_names == ["below 1", "1 or more"]


def test_rare_categories_share_a_bin_and_are_not_new() -> None:
    names = ["big"] * 900 + [f"small{i}" for i in range(100)]
    bins = category_bins(pa.chunked_array([names]))
    assert bins.own[0] == "big"
    assert len(bins.own) == 20
    assert bins.complete
    column = profile(pa.table({"f:c": ["big", "small99", "unheard of", None]}), Binning({"f:c": bins})).columns["f:c"]
    assert isinstance(column, CategoryColumn)
    assert column.counts[[0, 20, 21]].tolist() == [1, 1, 1]
    assert column.examples == {"unheard of": 1}


def test_binning_bytes_there_and_back() -> None:
    assert Binning.from_bytes(BINNING.to_bytes()) == BINNING
    assert Binning.from_bytes(BINNING.to_bytes()).fingerprint == BINNING.fingerprint


def test_another_version_another_binning_and_noise_are_refused() -> None:
    data = profile(REFERENCE, BINNING).to_bytes()
    newer = msgspec.msgpack.encode(msgspec.msgpack.decode(data) | {"version": 99})
    with pytest.raises(ProfileError, match="has version 99, but this release reads version 2"):
        Profile.from_bytes(newer, BINNING)
    with pytest.raises(ProfileError, match="another binning"):
        Profile.from_bytes(data, Binning({"f:v": NumberBins((0.0, 1.0)), "f:c": CategoryBins(("a",))}))
    with pytest.raises(ProfileError, match="no binning"):
        Binning.from_bytes(data)
    with pytest.raises(ProfileError, match="damaged"):
        Profile.from_bytes(b"\xc1", BINNING)
    other = empty(Binning({"f:v": NumberBins((0.0, 1.0))}))
    with pytest.raises(ProfileError, match="don't add up"):
        merge(other, empty(BINNING))
