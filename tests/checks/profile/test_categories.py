"""The sketches of a text column stay within their bounds and small, however many categories there are."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from checks.profile import CategoryBins, CategoryColumn
from checks.profile.categories import categories, merged_categories, no_categories
from checks.profile.sketches import DISTINCT_ERROR, KEPT_TEXT, TAIL_ERROR, tail_counts, tail_of

BINS = CategoryBins(("a", "b"), ("rare",))


def of(names: list[str | None], bins: CategoryBins = BINS) -> CategoryColumn:
    return categories(pa.array(names, pa.string()), bins, 0)


def split(names: list[str], parts: int, seed: int) -> CategoryColumn:
    names = random.Random(seed).sample(names, len(names))
    made = no_categories(BINS)
    for start in range(parts):
        made = merged_categories(made, of(names[start::parts]))
    return made


def test_few_categories_are_counted_exactly() -> None:
    made = of(["a", "a", "rare", "x", None, "y", "x"])
    assert (made.distinct, made.examples, made.missing) == (4, {"x": 2, "y": 1}, 1)
    assert of([]).distinct == 0
    assert of(["", "a"]).distinct == 2
    assert of(["", ""]).examples == {"": 2}
    assert of(["a", "b"]).rest == b""


@pytest.mark.parametrize("count", [1, 150, 1_000, 20_000])
def test_distinct_is_within_its_bound_and_the_same_however_it_was_split(count: int) -> None:
    names = [f"name {i}" for i in range(count)]
    found = {split(names, parts, seed).distinct for parts, seed in ((1, 0), (1, 1), (3, 2), (8, 3))}
    assert len(found) == 1
    assert found.pop() == pytest.approx(count, rel=0 if count <= 150 else DISTINCT_ERROR)


def test_the_tail_is_exact_while_small_and_bounded_beyond() -> None:
    few = [f"n{i}" for i in range(40) for _ in range(i + 1)]
    assert tail_counts(split(few, 7, 0).tail) == {f"n{i}": i + 1 for i in range(40)}
    many = few * 20 + [f"once {i}" for i in range(5_000)]
    made = split(many, 9, 1)
    for name, low in made.examples.items():
        truth = many.count(name)
        assert truth - TAIL_ERROR * len(many) <= low <= truth
    heavy = ["heavy"] * 2_000 + [f"once {i}" for i in range(20_000)]
    assert next(iter(split(heavy, 9, 2).examples)) == "heavy"


def test_a_column_that_turned_into_an_id_stays_small() -> None:
    made = no_categories(BINS)
    for part in range(20):
        made = merged_categories(made, of([f"{'long' * 100}-{part}-{i}" for i in range(5_000)]))
    assert made.counts.tolist() == [0, 0, 0, 100_000]
    assert len(made.rest) + len(made.tail) < 10_000
    assert made.distinct == pytest.approx(100_000, rel=DISTINCT_ERROR)
    assert all(len(name) <= KEPT_TEXT for name in made.examples)


def test_the_same_counts_make_the_same_bytes() -> None:
    tallies = {f"n{i}": i % 7 + 1 for i in range(500)}
    backwards = dict(reversed(tallies.items()))
    assert tail_of(tallies) == tail_of(backwards)
