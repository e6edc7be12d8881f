"""Profiles against rows: within the stated bound, and equal where bins hide nothing."""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from scipy.spatial import distance

from checks.data.arrow import Floats
from checks.drift.methods.registry import METHODS
from checks.drift.presets.compare import compare_exact
from checks.drift.presets.values import categories, numbers
from tests.checks.drift.columns import categories as counted
from tests.checks.drift.columns import numbers as binned
from tests.checks.drift.parity.shapes import Shape, shapes

ALL = shapes()
NUMBERS = [name for name, shape in ALL.items() if shape.kind == "numeric" and "all missing" not in name]
CATEGORIES = [name for name, shape in ALL.items() if shape.kind != "numeric" and "all missing" not in name]
NEAR = 1e-9


def finite(shape: Shape) -> tuple[Floats, Floats]:
    reference, current = numbers(shape.reference), numbers(shape.current)
    return reference[np.isfinite(reference)], current[np.isfinite(current)]


@pytest.mark.parametrize("name", NUMBERS)
def test_wasserstein_is_within_its_bound_of_evidentlys(name: str) -> None:
    shape = ALL[name]
    exact = compare_exact(shape.reference, shape.current, "numeric", "evidently", "wasserstein").value
    assert exact is not None
    reference, current = finite(shape)
    ground, (before, now) = binned(reference, current)
    method = METHODS["wasserstein"]
    assert method.bound is not None
    ends = np.append(reference, current)
    low, high = method.bound(ground, before, now, ends.min(), ends.max())
    # Sums carry as many digits as the values: far from zero fewer are left of a distance.
    slack = NEAR * max(1.0, exact) + 1e-15 * np.abs(ends).max() * 1e3 / max(ground.std, 0.001)
    assert low - slack <= exact <= high + slack
    assert float(method.distance(ground, before, now)) == pytest.approx(low)


@pytest.mark.parametrize("name", NUMBERS)
def test_ks_is_within_its_bound_of_the_rows(name: str) -> None:
    reference, current = finite(ALL[name])
    exact = float(stats.ks_2samp(reference, current, method="asymp").statistic)
    ground, (before, now) = binned(reference, current)
    bound = METHODS["ks"].bound
    assert bound is not None
    low, high = bound(ground, before, now, 0.0, 0.0)
    assert low - NEAR <= exact <= high + NEAR


@pytest.mark.parametrize("name", NUMBERS)
def test_distances_of_shares_are_those_of_the_rows_on_the_same_bins(name: str) -> None:
    """Nothing is hidden of PSI and its like: the rows are counted here by another way, and formulas written out."""
    reference, current = finite(ALL[name])
    ground, (before, now) = binned(reference, current)
    if ground.bins.inner(before.counts).size == ground.bins.size:
        return  # one value: no inner edges to count by
    inner = ground.edges[1:-1]
    p, q = (
        np.bincount([bisect_right(inner, value) for value in side], minlength=len(inner) + 1) / len(side)
        for side in (reference, current)
    )
    filled = [np.where(side == 0, 1e-4, side) for side in (p, q)]
    wanted = {
        "psi": float(sum((b - a) * math.log(b / a) for a, b in zip(*filled, strict=True))),
        "jensenshannon": float(distance.jensenshannon(p, q)),
        "hellinger": math.sqrt(sum((math.sqrt(a) - math.sqrt(b)) ** 2 for a, b in zip(p, q, strict=True)) / 2),
        "total_variation": float(np.abs(p - q).sum() / 2),
        "l_infinity": float(np.abs(p - q).max()),
    }
    for method, value in wanted.items():
        assert float(METHODS[method].distance(ground, before, now)) == pytest.approx(value, rel=1e-9, abs=1e-7), method


def present(column: pa.Array) -> list[str]:
    side = categories(column)
    return [side.names[code] for code in side.codes if code >= 0]


def has_a_bin_for_each(name: str) -> bool:
    """New categories are one bin: for each there is one with at most one of them."""
    names, now = (set(present(side)) for side in (ALL[name].reference, ALL[name].current))
    return len(names) <= 20 and len(now - names) <= 1


@pytest.mark.parametrize("name", list(filter(has_a_bin_for_each, CATEGORIES)))
def test_categories_that_all_have_a_bin_give_the_peers_numbers(name: str) -> None:
    shape = ALL[name]
    texts = [present(side) for side in (shape.reference, shape.current)]
    ground, (before, now) = counted(*texts)
    for method, peer, theirs in (
        ("jensenshannon", "evidently", "jensenshannon"),
        ("hellinger", "evidently", "hellinger"),
        ("l_infinity", "nannyml", "l_infinity"),
    ):
        exact = compare_exact(shape.reference, shape.current, shape.kind, peer, theirs).value  # type: ignore[arg-type]
        ours = float(METHODS[method].distance(ground, before, now))
        assert exact is not None
        assert ours**2 == pytest.approx(exact**2, abs=1e-12)
