from __future__ import annotations

from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.data.arrow import float_array, string_array
from checks.data.frame import from_reference
from checks.data.schema import SchemaOverrides
from checks.data.schema_inference import infer
from checks.profile import Binning, CategoryColumn, NumberColumn, Profile, merge, profile
from checks.reference import Reference
from checks.segments.dimension import LONGEST, MISSING, OTHER, Dimension, added, mark_of, most, tally
from tests.checks.sample import reference, table

REFERENCE: Reference = reference(4_000)
BINNING: Binning = REFERENCE.binning


def frame(rows: int = 4_000, seed: int = 1) -> pa.Table:
    made = table(rows, seed)
    tags = [None if row % 11 == 0 else f"c{row % 7}" for row in range(rows)]
    return from_reference(made, infer(made, SchemaOverrides())).append_column("t:country", string_array(tags))


@pytest.mark.parametrize("column", ["f:city", "f:amount", "f:night", "t:country", "t:absent"])
@pytest.mark.parametrize("top", [1, 2, 10])
def test_segments_part_the_rows_and_their_profiles_merge_into_the_whole(column: str, top: int) -> None:
    rows = frame()
    found = Dimension(column, most(tally(rows, column, BINNING), top))
    places = np.concatenate(list(found.rows(rows, BINNING)))
    assert sorted(places.tolist()) == list(range(rows.num_rows))
    parts = [profile(part, BINNING) for part in found.split(rows, BINNING)]
    assert len(parts) == len(found.segments) == len(found.keys) == len(set(found.keys))
    same(reduce(merge, parts), profile(rows, BINNING))


def same(one: Profile, other: Profile) -> None:
    assert one.n == other.n
    for name, left in one.columns.items():
        right = other.columns[name]
        assert left.counts.tolist() == right.counts.tolist(), name
        assert left.missing == right.missing, name
        if isinstance(left, NumberColumn) and isinstance(right, NumberColumn):
            assert (left.low, left.high) == (right.low, right.high)
            assert left.mean == pytest.approx(right.mean, rel=1e-12)
            assert left.m2 == pytest.approx(right.m2, rel=1e-9)
        else:
            assert isinstance(left, CategoryColumn)


@given(st.lists(st.sampled_from(["a", "b", "c", "", MISSING, OTHER, None]), max_size=60), st.integers(1, 5))
def test_any_tags_are_each_in_the_segment_of_their_value(values: list[str | None], top: int) -> None:
    rows = pa.table({"id": float_array(np.arange(len(values), dtype=np.float64)), "t:x": string_array(values)})
    counts = tally(rows, "t:x", BINNING)
    assert sum(counts.values()) == len(values)
    found = Dimension("t:x", most(counts, top))
    for name, part in zip(found.segments, found.rows(rows, BINNING), strict=True):
        shown = {values[row] or (MISSING if values[row] is None else "") for row in part.tolist()}
        if name == f"x={OTHER}":
            assert not shown & set(found.values)
        else:
            assert shown == {name.removeprefix("x=")}


def test_the_most_frequent_are_chosen_and_no_value_is_too_long_for_a_name() -> None:
    rows = {"a" * (LONGEST + 1): 100, "a" * LONGEST: 5, "b": 7, "c": 7, OTHER: 90}
    assert most(rows, 2) == ("b", "c")
    assert most(rows, 5) == ("b", "c", "a" * LONGEST)


def test_tallies_add_up() -> None:
    rows = frame()
    halves = [tally(rows.slice(0, 1_500), "t:country", BINNING), tally(rows.slice(1_500), "t:country", BINNING)]
    assert added(halves) == tally(rows, "t:country", BINNING)


def test_numbers_are_told_apart_by_the_reference_s_bins_and_outliers_belong_to_the_last() -> None:
    values = np.array([-1e6, 1e6, np.nan, 100.0])
    rows = pa.table({"f:amount": float_array(values)})
    names = {name: part.tolist() for name, part in _named("f:amount", rows).items() if len(part)}
    edges = BINNING.columns["f:amount"].inner_names
    assert names[f"amount={edges[0]}"] == [0]
    assert names[f"amount={edges[-1]}"] == [1]
    assert names[f"amount={MISSING}"] == [2]
    assert sum(map(len, names.values())) == 4


def _named(column: str, rows: pa.Table) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    values = (*BINNING.columns[column].inner_names, MISSING)
    found = Dimension(column, values)
    return dict(zip(found.segments, found.rows(rows, BINNING), strict=True))


def test_what_is_stored_is_kept_apart_from_that_of_other_values_and_other_columns() -> None:
    few, many, feature = Dimension("t:x", ("a", "b")), Dimension("t:x", ("a", "b", "c")), Dimension("f:x", ("a", "b"))
    assert few.segments[-1] == many.segments[-1] == feature.segments[-1] == "x=(other)"
    assert len({*few.keys, *many.keys, *feature.keys}) == 3 + 4 + 3
    assert {mark_of(key) for key in few.keys} == {few.mark} == {few.keys[-1]}
    longest = Dimension("t:" + "n" * 80, ("v" * LONGEST,))
    assert max(map(len, longest.keys)) <= 200, "what the store's column holds"
