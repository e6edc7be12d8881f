"""Distances against the libraries that define them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance

from checks.drift.jensenshannon import jensenshannon
from checks.drift.methods import METHODS
from checks.drift.psi import psi

counts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=20).filter(
    lambda pairs: all(sum(side) for side in zip(*pairs, strict=True))
)


@given(counts)
def test_jensen_shannon_is_scipys(pairs: list[tuple[int, int]]) -> None:
    reference, current = (np.array(side) for side in zip(*pairs, strict=True))
    assert float(jensenshannon(reference, current)) == pytest.approx(
        distance.jensenshannon(reference, current), abs=1e-7
    )


@pytest.mark.parametrize("n", [30, 999, 5_000])
def test_psi_and_jensen_shannon_are_evidentlys(n: int) -> None:
    """On few distinct values Evidently bins by value, as the counts here do."""
    import pandas as pd
    from evidently.legacy.calculations.stattests.jensenshannon import _jensenshannon
    from evidently.legacy.calculations.stattests.psi import _psi
    from evidently.legacy.core import ColumnType

    rng = np.random.default_rng(n)
    reference, current = rng.integers(0, 12, 4_000), rng.integers(0, 9, n)
    before, now = (np.bincount(side, minlength=12) for side in (reference, current))
    sides = pd.Series(reference), pd.Series(current)
    assert float(psi(before, now)) == pytest.approx(_psi(*sides, ColumnType.Categorical, 0.1)[0], rel=1e-9)
    want = _jensenshannon(*sides, ColumnType.Categorical, 0.1)[0]
    assert float(jensenshannon(before, now)) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("name", METHODS)
@given(counts)
def test_every_method_is_a_distance(name: str, pairs: list[tuple[int, int]]) -> None:
    reference, current = (np.array(side) for side in zip(*pairs, strict=True))
    method = METHODS[name].distance
    assert float(method(reference, reference * 3)) == pytest.approx(0.0, abs=1e-7)
    assert float(method(reference, current)) >= -1e-12
    assert np.isfinite(method(reference, current))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_many_windows_at_once(name: str) -> None:
    rng = np.random.default_rng(3)
    reference, windows = rng.integers(1, 90, 6), rng.integers(0, 90, (5, 6))
    each = [float(METHODS[name].distance(reference, window)) for window in windows]
    assert METHODS[name].distance(reference, windows).tolist() == pytest.approx(each)


def test_the_largest_jensen_shannon_distance() -> None:
    assert float(jensenshannon([5, 0], [0, 7])) == pytest.approx(np.sqrt(np.log(2)))
