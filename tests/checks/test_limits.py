"""Limits: how far chance goes, and no further."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from checks.base import labels
from checks.limits import (
    SIZES,
    Calibration,
    Limit,
    binomial_reach,
    chi_square_reach,
    reach,
    scaled,
    student,
    unscaled,
)

NOISE = tuple(10 / size for size in SIZES)


@pytest.mark.parametrize("freedom", [3, 7, 13.5, 42, 500, 1e7])
def test_students_quantile(freedom: float) -> None:
    assert student(freedom) == pytest.approx(stats.t.ppf(1 - 1e-4, freedom), rel=5e-3)


@pytest.mark.parametrize("freedom", [1, 4, 30])
def test_the_reach_of_a_chi_square(freedom: int) -> None:
    drawn = np.random.default_rng(1).chisquare(freedom, 20_000) * 0.01
    assert chi_square_reach(drawn) == pytest.approx(0.01 * stats.chi2.ppf(1 - 1e-4, freedom), rel=0.08)


@pytest.mark.parametrize(("share", "rows"), [(1e-5, 30), (0.001, 200), (0.05, 200), (0.3, 1_000), (0.5, 1_000_000)])
def test_the_reach_of_a_share(share: float, rows: int) -> None:
    assert binomial_reach(share, rows) * rows == pytest.approx(stats.binom.ppf(1 - 1e-4, rows, share), rel=1e-3, abs=1)


def test_shares_of_nothing_and_all() -> None:
    assert (binomial_reach(0.0, 10), binomial_reach(1.0, 10)) == (0.0, 1.0)


def test_the_reach_of_independent_windows_is_rarely_passed() -> None:
    rng = np.random.default_rng(2)
    passed = [rng.normal() > reach(rng.normal(size=20)) for _ in range(5_000)]
    assert sum(passed) <= 4


def test_windows_that_resemble_their_neighbours_reach_further() -> None:
    steady = np.tile([0.0, 1.0], 20)
    assert reach(np.sort(steady)) > reach(steady)


def test_few_or_equal_windows_reach_their_maximum() -> None:
    assert reach(np.array([1.0, 3.0, 2.0])) == 3.0
    assert reach(np.full(50, 0.25)) == 0.25


def test_a_smaller_window_has_a_wider_limit_and_a_larger_one_keeps_what_is_not_noise() -> None:
    limit = Limit(base=0.05, rows=1_000, noise=NOISE, floor=0.001, shrinks=True)
    assert limit.at(1_000) == pytest.approx(0.05)
    assert limit.at(100) == pytest.approx(0.05 + 0.1 - 0.01)
    assert limit.at(1_000_000) == pytest.approx(0.05 - 0.01 + 1e-5)
    assert Limit(0.05, 1_000, NOISE, 0.001).at(1_000_000) == 0.05
    assert Limit(0.05, 1_000, NOISE, 0.001, design=4).at(100) == pytest.approx(0.05 + 4 * 0.09)


def test_no_limit_is_nearer_than_the_effect_floor_or_further_than_the_most() -> None:
    assert Limit(0.001, 1_000, NOISE, floor=0.1).at(1_000) == 0.1
    assert Limit(1.4, 1_000, NOISE, floor=0.1, most=0.9).at(1_000) == 0.9


def test_a_lower_limit_goes_down_for_fewer_rows() -> None:
    limit = Limit(scaled(0.8, "logit"), 1_000, NOISE, scaled(0.85, "logit"), "logit", low=True)
    assert limit.at(1_000) == pytest.approx(0.8)
    assert limit.at(30) < limit.at(300) < 0.8
    assert Limit(scaled(0.9, "logit"), 1_000, NOISE, scaled(0.85, "logit"), "logit", low=True).at(
        1_000
    ) == pytest.approx(0.85)
    assert Limit(scaled(0.001, "logit"), 1_000, NOISE, scaled(0.4, "logit"), "logit", low=True).at(1_000) == 0.0


@pytest.mark.parametrize("scale", ["linear", "square", "log", "logit"])
def test_scales_there_and_back(scale: str) -> None:
    assert unscaled(scaled(0.3, scale), scale) == pytest.approx(0.3)  # type: ignore[arg-type]


def test_packed_and_back() -> None:
    limits = {("feature_drift", labels(feature="a", method="psi")): Limit(0.2, 100.0, NOISE, 0.1, "square", 2.0)}
    again = Calibration.unpack(Calibration(limits).pack())
    assert again.limits == limits
    assert again.limit("feature_drift", labels(feature="a", method="psi"), 0) is None
    assert again.limit("feature_drift", labels(feature="b", method="psi"), 10) is None
