"""Distances against the libraries that define them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from checks.drift.binned_rows import BinnedRows
from checks.drift.methods.chisquare import chisquare, chisquare_statistic
from checks.drift.methods.hellinger import hellinger
from checks.drift.methods.jensenshannon import jensenshannon
from checks.drift.methods.ks import ks
from checks.drift.methods.l_infinity import l_infinity
from checks.drift.methods.psi import psi
from checks.drift.methods.registry import METHODS
from checks.drift.methods.total_variation import total_variation
from checks.drift.methods.z import z, z_statistic
from tests.checks.drift.columns import categories, numbers, stacked
from tests.checks.drift.parity.answers import load
from tests.checks.drift.parity.shapes import ASKED

counts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=20).filter(
    lambda pairs: all(sum(side) for side in zip(*pairs, strict=True))
)


@given(counts)
def test_jensen_shannon_is_scipys(pairs: list[tuple[int, int]]) -> None:
    reference, current = (np.array(side) for side in zip(*pairs, strict=True))
    assert float(jensenshannon(reference, current)) == pytest.approx(
        distance.jensenshannon(reference, current), abs=1e-7
    )


def test_psi_and_jensen_shannon_are_evidentlys() -> None:
    for distance_of, name in ((psi, "psi"), (jensenshannon, "jensenshannon")):
        ours = [float(distance_of(before, now)) for before, now in ASKED["counts"]]
        assert ours == pytest.approx(load("evidently")["profiles"][name], rel=1e-9)


@given(counts)
def test_the_other_distances_are_what_their_names_say(pairs: list[tuple[int, int]]) -> None:
    reference, current = (np.array(side) for side in zip(*pairs, strict=True))
    p, q = reference / reference.sum(), current / current.sum()
    assert float(total_variation(reference, current)) == pytest.approx(distance.cityblock(p, q) / 2, abs=1e-12)
    assert float(l_infinity(reference, current)) == pytest.approx(distance.chebyshev(p, q), abs=1e-12)
    root = distance.euclidean(np.sqrt(p), np.sqrt(q)) / np.sqrt(2)
    assert float(hellinger(reference, current)) == pytest.approx(root, abs=1e-12)
    assert float(ks(reference, current)) == pytest.approx(np.abs(np.cumsum(p) - np.cumsum(q)).max(), abs=1e-12)


@given(counts)
def test_chi_square_is_scipys_without_correction(pairs: list[tuple[int, int]]) -> None:
    table = np.array([pair for pair in pairs if sum(pair)]).T
    effect = float(chisquare(*np.array(pairs).T))
    want = stats.chi2_contingency(table, correction=False).statistic
    assert chisquare_statistic(effect, *table.sum(axis=1).tolist()) == pytest.approx(want, rel=1e-9, abs=1e-9)


def statistic_of_z(before: int, now: int) -> float:
    """Of as many ones among 80 rows, and among 120."""
    return z_statistic(float(z([80 - before, before], [120 - now, now], 0)), 80, 120)


def test_z_is_evidentlys() -> None:
    ours = [statistic_of_z(before, now) for before, now in ASKED["ones"]]
    assert ours == pytest.approx(np.abs(load("evidently")["profiles"]["z"]), rel=1e-9)


@pytest.mark.release
@given(st.integers(0, 80), st.integers(0, 80))
def test_z_is_evidentlys_of_any_counts(before: int, now: int) -> None:
    import pandas as pd
    from evidently.legacy.calculations.stattests.z_stattest import proportions_diff_z_stat_ind

    ones = [pd.Series([1] * count + [0] * (rows - count)) for count, rows in ((before, 80), (now, 120))]
    if before + now:
        assert statistic_of_z(before, now) == pytest.approx(abs(proportions_diff_z_stat_ind(*ones)), rel=1e-9)


def test_chi_square_takes_rare_bins_together() -> None:
    many = ["a"] * 600 + ["b"] * 400
    ground, sides = categories([*many, "c", "d"], [*many, "c"], [*many, "d", "e"])
    first, second = (float(METHODS["chisquare"].distance(ground, sides[0], side)) for side in sides[1:])
    table = [[600, 400, 2], [600, 400, 1]]
    want = stats.chi2_contingency(table, correction=False).statistic
    assert METHODS["chisquare"].shown(first, 1002, 1001) == pytest.approx(want)
    assert second == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_distance(name: str) -> None:
    method, rng = METHODS[name], np.random.default_rng(5)
    sides = [np.array(["no", "yes"])[rng.integers(0, 2, 500)].tolist(), ["no"] * 90 + ["yes"] * 10]
    values = [rng.normal(size=500), rng.normal(1, 2, 100)]
    for ground, (reference, current) in (categories(*sides), numbers(*values)):
        if method.applies(ground):
            three = BinnedRows(reference.counts * 3, None if reference.sums is None else reference.sums * 3)
            assert float(method.distance(ground, reference, three)) == pytest.approx(0.0, abs=1e-7)
            assert float(method.distance(ground, reference, current)) > 0.1
    assert method.applies(categories(*sides)[0]) or method.applies(numbers(*values)[0])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_many_windows_at_once(name: str) -> None:
    rng = np.random.default_rng(3)
    shapes = [
        numbers(rng.normal(size=300), *rng.normal(size=(5, 60))),
        categories(rng.choice(["a", "b"], 300).tolist(), *rng.choice(["a", "b"], (5, 60)).tolist()),
    ]
    for ground, (reference, *windows) in shapes:
        if METHODS[name].applies(ground):
            distance_of = METHODS[name].distance
            each = [float(distance_of(ground, reference, window)) for window in windows]
            assert distance_of(ground, reference, stacked(windows)).tolist() == pytest.approx(each)


def test_methods_know_their_columns() -> None:
    number = numbers(np.arange(100.0))[0]
    flag = numbers([0.0, 1.0] * 50)[0]
    text = categories(["a", "b", "c"] * 50)[0]
    fits = {name: [method.applies(ground) for ground in (number, flag, text)] for name, method in METHODS.items()}
    assert fits.pop("z") == [False, True, False]
    assert fits.pop("ks") == fits.pop("wasserstein") == [True, True, False]
    assert all(fit == [True, True, True] for fit in fits.values())


def test_the_largest_jensen_shannon_distance() -> None:
    assert float(jensenshannon([5, 0], [0, 7])) == pytest.approx(np.sqrt(np.log(2)))
