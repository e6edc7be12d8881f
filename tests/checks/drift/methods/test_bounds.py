"""What bins hide: the distances of the rows lie within the bounds that are stated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from checks.drift.methods.registry import METHODS
from tests.checks.drift.columns import numbers

ROUNDING = 1e-9
values = st.lists(
    st.one_of(st.integers(-20, 20).map(float), st.floats(-100, 100), st.floats(-1e6, 1e6)), min_size=1, max_size=60
)


def exact(name: str, reference: list[float], current: list[float]) -> float:
    if name == "ks":
        return float(stats.ks_2samp(reference, current, method="asymp").statistic)
    return float(stats.wasserstein_distance(reference, current)) / max(float(np.std(reference)), 0.001)


@pytest.mark.parametrize("name", ["ks", "wasserstein"])
@settings(max_examples=400)
@given(values, values, st.integers(2, 12))
def test_the_rows_distance_lies_within_the_bound(
    name: str, reference: list[float], current: list[float], bins: int
) -> None:
    method = METHODS[name]
    assert method.bound is not None
    ground, (before, now) = numbers(reference, current, bins=bins)
    together = [*reference, *current]
    low, high = method.bound(ground, before, now, min(together), max(together))
    want = exact(name, reference, current)
    # Means of large values are rounded by their size.
    slack = ROUNDING * max(1.0, want, *map(abs, together))
    assert low == pytest.approx(float(method.distance(ground, before, now)))
    assert low - slack <= want <= high + slack


def test_a_shift_is_exact_in_wasserstein() -> None:
    """F − G has one sign everywhere: nothing is hidden."""
    rng = np.random.default_rng(2)
    reference = rng.normal(50, 5, 3_000)
    current = reference + 1.25
    ground, (before, now) = numbers(reference, current)
    want = exact("wasserstein", reference.tolist(), current.tolist())
    assert float(METHODS["wasserstein"].distance(ground, before, now)) == pytest.approx(want, rel=1e-9)


def test_values_of_their_own_bins_are_exact_in_both() -> None:
    rng = np.random.default_rng(3)
    reference, current = rng.integers(0, 9, 900).astype(float), rng.integers(0, 7, 300).astype(float)
    ground, (before, now) = numbers(reference, current)
    for name in ("ks", "wasserstein"):
        want = exact(name, reference.tolist(), current.tolist())
        assert float(METHODS[name].distance(ground, before, now)) == pytest.approx(want, rel=1e-9)


def test_bounds_are_narrow_where_bins_are_many() -> None:
    rng = np.random.default_rng(4)
    reference, current = rng.normal(size=20_000), rng.normal(0.02, 1.1, 5_000)
    together = np.concatenate((reference, current))
    widths = {}
    for bins in (10, 100):
        ground, (before, now) = numbers(reference, current, bins=bins)
        for name in ("ks", "wasserstein"):
            bound = METHODS[name].bound
            assert bound is not None
            low, high = bound(ground, before, now, together.min(), together.max())
            assert low <= exact(name, reference.tolist(), current.tolist()) <= high
            widths[name, bins] = high - low
    assert widths["ks", 100] < widths["ks", 10] / 5
    assert widths["wasserstein", 100] < widths["wasserstein", 10] / 5


def test_far_from_zero_no_digits_are_lost() -> None:
    rng = np.random.default_rng(5)
    reference = 1e9 + rng.normal(size=2_000)
    current = reference + 0.3
    ground, (before, now) = numbers(reference, current)
    want = exact("wasserstein", reference.tolist(), current.tolist())
    assert float(METHODS["wasserstein"].distance(ground, before, now)) == pytest.approx(want, rel=1e-5)
