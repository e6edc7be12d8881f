from __future__ import annotations

from dataclasses import asdict
from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.profile import Binning, CategoryBins, NumberBins, Profile, ProfileError, empty, merge, profile
from checks.profile.stack import Stack

BINNING = Binning(
    {
        "f:a": NumberBins((-1.0, 0.0, 1.0)),
        "f:t": CategoryBins(("x", "y"), ("z",)),
        "f:b": NumberBins(()),
        "score": NumberBins((0.0, 0.5, 1.0)),
    }
)
NUMBERS = st.none() | st.floats(-3, 3) | st.sampled_from([np.nan, np.inf, -np.inf, 1e200, -1e200, 0.0])
TEXTS = st.none() | st.sampled_from(["x", "y", "z", "new", "newer", ""])


@st.composite
def parts(draw: st.DrawFn) -> Profile:
    rows = draw(st.integers(0, 6))
    columns = {}
    for name, values, kind in (
        ("f:a", NUMBERS, pa.float64()),
        ("f:t", TEXTS, pa.string()),
        ("f:b", NUMBERS, pa.float64()),
    ):
        if draw(st.integers(0, 5)):
            columns[name] = pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind)
    columns["score"] = pa.array([0.25] * rows, pa.float64())
    return profile(pa.table(columns), BINNING)


def same(found: Profile, wanted: Profile) -> None:
    assert (found.n, dict(found.errors), found.fingerprint) == (wanted.n, dict(wanted.errors), wanted.fingerprint)
    for name, column in wanted.columns.items():
        other = asdict(found.columns[name])
        for part, value in asdict(column).items():
            if isinstance(value, bytes):
                assert other[part] == value, (name, part)
            else:  # to the last bit, but for the sign of zero
                assert np.array_equal(other[part], value, equal_nan=True), (name, part, other[part], value)


@settings(max_examples=150)
@given(st.lists(parts(), max_size=6))
def test_it_is_the_merge_of_one_after_the_other(made: list[Profile]) -> None:
    wanted = reduce(merge, made) if made else empty(BINNING)
    same(Stack(BINNING).profile([part.to_bytes() for part in made]), wanted)


def test_a_columns_error_stays_its_own() -> None:
    one = profile(pa.table({"f:a": pa.array([0.5])}), BINNING)
    broken = Profile(one.n, one.columns, one.fingerprint, {"f:t": "ValueError: odd"})
    found = Stack(BINNING).profile([one.to_bytes(), broken.to_bytes(), one.to_bytes()])
    assert found.errors == {"f:t": "ValueError: odd"}


@pytest.mark.parametrize(
    "columns", [{}, {"t": CategoryBins(("x",))}, {"a": NumberBins((0.0, 1.0))}, {"b": NumberBins(())}]
)
def test_a_binning_may_lack_either_kind(columns: dict[str, NumberBins | CategoryBins]) -> None:
    binning = Binning(columns)
    made = profile(
        pa.table({"a": pa.array([0.5, 2.0]), "b": pa.array([1.0, None]), "t": pa.array(["x", "?"])}), binning
    )
    same(Stack(binning).profile([made.to_bytes()] * 3), reduce(merge, [made] * 3))


def test_another_binnings_profile_is_refused() -> None:
    other = Binning({"f:a": NumberBins((0.0, 2.0))})
    with pytest.raises(ProfileError, match="binnings"):
        Stack(BINNING).merged([empty(other).to_bytes()])
