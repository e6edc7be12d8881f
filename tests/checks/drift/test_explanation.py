"""What moved in a column: each bin's part of the distance, the sentence, and the picture's numbers."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.drift.contributions import contributions
from checks.drift.explanation import distribution, why
from checks.drift.methods.jensenshannon import jensenshannon
from checks.drift.methods.psi import psi
from checks.drift.methods.registry import METHODS
from checks.pictures.distribution import MOST_BARS, MOST_CATEGORIES, Distribution, coarse
from checks.profile.binning import Bins, category_bins, number_bins
from checks.profile.summary import Column, column_of
from checks.wording import NOTABLE, SAME, of_categories, of_numbers

counts = st.lists(st.integers(0, 1_000), min_size=2, max_size=30)


def columns(before: list[object], now: list[object], bins: int = 10) -> tuple[Bins, Column, Column]:
    own = [value for value in before if value is not None]
    numeric = not isinstance(own[0], str)
    made: Bins = number_bins(np.array(own, float), bins) if numeric else category_bins(pa.chunked_array([before]))
    kind = pa.float64() if numeric else pa.string()
    return made, *(column_of(pa.array(side, kind), made) for side in (before, now))


@given(st.data())
def test_contributions_are_shares_of_the_distance(data: st.DataObject) -> None:
    before = np.array(data.draw(counts)) + 1e-9
    now = np.array(data.draw(st.lists(st.integers(0, 1_000), min_size=len(before), max_size=len(before)))) + 1e-9
    p, q = before / before.sum(), now / now.sum()
    for method in (*METHODS, "jensen_shannon"):
        parts = contributions(method, p, q)
        assert (parts >= -1e-12).all()
        assert parts.sum() == pytest.approx(1.0) or np.allclose(p, q, atol=1e-7)


@pytest.mark.parametrize(("method", "distance", "power"), [("psi", psi, 1), ("jensenshannon", jensenshannon, 2)])
def test_the_terms_add_up_to_the_method_itself(method: str, distance: Callable[..., Any], power: int) -> None:
    before, now = np.array([60, 30, 10, 0]), np.array([20, 30, 40, 10])
    p, q = before / before.sum(), now / now.sum()
    terms = METHODS[method].terms
    assert terms is not None
    total = terms(p, q).sum() / (1 if method == "psi" else 2)
    assert total == pytest.approx(float(distance(before, now)) ** power)


@pytest.mark.parametrize(
    ("edges", "before", "now", "told"),
    [
        ([10, 20], [0.4, 0.3, 0.3], [0.1, 0.2, 0.7], "70 % of values now at 20 or more, 30 % before"),
        ([10, 20], [0.4, 0.3, 0.3], [0.9, 0.1, 0.0], "90 % of values now below 10, 40 % before"),
        ([10, 20], [0.4, 0.2, 0.4], [0.0, 1.0, 0.0], "100 % of values now from 10 to 20, 20 % before"),
        ([10, 20], [0.2, 0.6, 0.2], [0.5, 0.0, 0.5], "0 % of values now from 10 to 20, 60 % before"),
        ([0.5], [0.9, 0.1], [0.4, 0.6], "60 % of values now at 1 or more, 10 % before"),
        ([0.5, 1.5, 3.5], [0.5, 0.2, 0.1, 0.2], [0.2, 0.1, 0.6, 0.1], "60 % of values now from 2 to 3, 10 % before"),
        ([10], [0.5, 0.5], [0.5, 0.5], "values lie as before"),
    ],
)
def test_the_range_that_changed_most_is_told(
    edges: list[float], before: list[float], now: list[float], told: str
) -> None:
    assert of_numbers([-inf, *edges, inf], before, now) == told


@given(st.data())
def test_no_single_bin_changed_more_than_the_range_that_is_told(data: st.DataObject) -> None:
    before = np.array(data.draw(counts), float) + 1
    now = np.array(data.draw(st.lists(st.integers(0, 1_000), min_size=len(before), max_size=len(before))), float) + 1
    p, q = before / before.sum(), now / now.sum()
    told = of_numbers([-inf, *(10.25 * np.arange(1, len(p))), inf], p.tolist(), q.tolist())
    if told == SAME:
        assert np.abs(np.cumsum(q - p)).max() < NOTABLE
        return
    after, _, rest = told.partition(" % of values now ")
    earlier = rest.rpartition(", ")[2].removesuffix(" % before")
    assert abs(float(after) - float(earlier)) >= 100 * np.abs(q - p).max() - 1.1


def test_categories_tell_what_grew_if_it_grew_as_much() -> None:
    names = ["UA", "DL", "(other)", "(new)"]
    grown = of_categories(names, [0.8, 0.1, 0.1, 0.0], [0.1, 0.8, 0.1, 0.0])
    assert grown == "80 % of values now 'DL', 10 % before"
    lost = of_categories(names, [0.7, 0.1, 0.2, 0.0], [0.1, 0.3, 0.4, 0.2], ["ZZ"])
    assert lost == "10 % of values now 'UA', 70 % before"
    evil = of_categories(names, [0.9, 0.05, 0.05, 0.0], [0.1, 0.05, 0.05, 0.8], ["a\x1b[31m\nb" + "c" * 99])
    assert "\x1b" not in evil
    assert len(evil) < 120


def test_missing_values_and_means_are_told() -> None:
    bins, normal, now = columns([float(i) for i in range(100)], [None] * 25 + [float(i) for i in range(75)])
    told = why(bins, normal, now, (100, 100))
    assert told.endswith("mean 49.5 → 37; missing 0 → 25 %")
    bins, normal, now = columns(["a"] * 50 + ["b"] * 50, [None] * 10)
    assert why(bins, normal, now, (100, 10)) == "missing 0 → 100 %"


def test_a_constant_column_names_its_value() -> None:
    bins, normal, now = columns([5.0] * 100, [5.0] * 50 + [7.0] * 50)
    assert why(bins, normal, now, (100, 100)).startswith("50 % of values now at 5")


def test_a_picture_shows_what_is_out_of_range_apart() -> None:
    bins, normal, now = columns([float(i) for i in range(100)], [float(i) for i in range(50, 150)])
    drawn = distribution("x", bins, normal, now, (100, 100))
    assert len(drawn.bounds) == len(drawn.bins) + 1 == len(drawn.current) + 1
    assert drawn.bounds[-1] == inf
    assert drawn.bounds[0] != -inf
    assert (drawn.reference[-1], drawn.current[-1]) == (0.0, 0.5)
    assert sum(drawn.reference) == pytest.approx(1.0)
    assert Distribution.from_dict(drawn.to_dict()) == drawn


def test_many_bars_become_few_and_keep_their_shares() -> None:
    long = [float(i) for i in range(2_000)], [float(i * i % 999) for i in range(500)]
    numbers = distribution("x", *columns(*long, bins=150), (2_000, 500))
    words = distribution("y", *columns([f"c{i % 60}" for i in range(2_000)], ["c3", "new"] * 200), (2_000, 400))
    for whole, most in ((numbers, MOST_BARS + 2), (words, MOST_CATEGORIES)):
        few = coarse(whole)
        assert len(whole.bins) > most >= len(few.bins)
        assert sum(few.reference) == pytest.approx(sum(whole.reference))
        assert sum(few.current) == pytest.approx(sum(whole.current))
        assert not few.numeric or len(few.bounds) == len(few.bins) + 1
    assert {"c3", "(new)"} <= set(coarse(words).bins)
