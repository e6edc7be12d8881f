"""Columns of every shape that a drift method may meet: what the reference holds, and the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from checks.data.arrow import float_array, string_array
from checks.drift.presets.result import Kind

DATASET = ("skewed", "two humps", "counts", "heavy tails")
"""Columns that one data set is made of, each cut to as many rows as the shortest has."""
CHUNKS = "small, shifted"
EMPTY = "window all missing"
INFINITE = "infinite and shifted"


@dataclass(frozen=True)
class Shape:
    kind: Kind
    reference: pa.Array
    current: pa.Array


def _numbers(reference: Any, current: Any) -> Shape:
    return Shape("numeric", *(float_array(np.asarray(side, np.float64)) for side in (reference, current)))


def _gaps(values: Any, share: float, rng: np.random.Generator) -> pa.Array:
    data = np.asarray(values, np.float64)
    return float_array(data, rng.random(len(data)) >= share)


def _texts(reference: Sequence[str | None], current: Sequence[str | None], kind: Kind = "categorical") -> Shape:
    return Shape(kind, string_array(list(reference)), string_array(list(current)))


def inputs() -> dict[str, Shape]:
    """Return all columns that the peers are asked of: the shapes, and those of the data set."""
    together = cut_to_one_length([shapes()[name] for name in DATASET])
    return shapes() | {f"of the data set: {name}": shape for name, shape in zip(DATASET, together, strict=True)}


def cut_to_one_length(columns: list[Shape]) -> list[Shape]:
    before = min(len(shape.reference) for shape in columns)
    now = min(len(shape.current) for shape in columns)
    return [Shape(shape.kind, shape.reference.slice(0, before), shape.current.slice(0, now)) for shape in columns]


@cache
def shapes() -> dict[str, Shape]:
    """Return each shape by its name, the same at every call."""
    rng = np.random.default_rng(20)
    return {**_of_numbers(rng), **_of_few_values(rng), **_of_missing(rng), **_of_categories(rng)}


def _of_numbers(rng: np.random.Generator) -> dict[str, Shape]:
    normal, choice = rng.normal, rng.choice
    same = normal(size=700)
    base = normal(size=4_000)
    return {
        "small": _numbers(normal(size=500), normal(size=300)),
        "small, shifted": _numbers(normal(size=800), normal(0.4, 1, 200)),
        "1000 rows": _numbers(normal(size=1000), normal(0.1, 1, 1000)),
        "1001 rows": _numbers(normal(size=1001), normal(0.1, 1, 1001)),
        "9999 rows": _numbers(normal(size=9_999), normal(0.02, 1, 2_000)),
        "10000 rows": _numbers(normal(size=10_000), normal(0.02, 1, 2_000)),
        "skewed": _numbers(rng.lognormal(0, 1.2, 5_000), rng.lognormal(0.1, 1.2, 900)),
        "heavy tails": _numbers(rng.standard_cauchy(3_000), rng.standard_cauchy(1_000)),
        "outliers": _numbers(normal(size=3_000), np.append(normal(size=997), [1e6, -1e6, 3e7])),
        "outliers beyond a large reference": _numbers(normal(size=12_000), np.append(normal(size=990), [40.0] * 10)),
        "both tails beyond a large reference": _numbers(rng.uniform(size=15_000), rng.uniform(-0.2, 1.3, 1_500)),
        "two humps": _numbers(np.append(normal(-3, 1, 900), normal(3, 1, 900)), normal(0, 3.2, 600)),
        "apart": _numbers(rng.uniform(0, 1, 600), rng.uniform(5, 6, 600)),
        "the same rows": _numbers(same, same),
        "part of the reference": _numbers(base, base[1_000:1_500]),
        "rounded, small": _numbers(np.round(normal(size=900), 1), np.round(normal(0.1, 1, 700), 1)),
        "rounded, large": _numbers(np.round(normal(size=11_000), 1), np.round(normal(0.1, 1, 700), 1)),
        "half is zero": _numbers(normal(size=2_000) * choice([0, 1], 2_000), normal(size=500) * choice([0, 1], 500)),
        "counts": _numbers(rng.poisson(3, 4_000), rng.poisson(3.4, 500)),
        "large integers": _numbers(rng.integers(0, 10**12, 2_000), rng.integers(0, 10**12, 500)),
        "far from zero": _numbers(1e9 + normal(size=3_000), 1e9 + normal(0.2, 1, 400)),
        "next to zero": _numbers(1e-9 * normal(size=3_000), 1e-9 * normal(0.2, 1, 400)),
        "huge": _numbers(normal(size=120_000), normal(0.01, 1, 100_000)),
        "tiny": _numbers(normal(size=12), normal(size=5)),
        "one row": _numbers(normal(size=400), [0.3]),
        "three rows of reference": _numbers([1.0, 2.0, 3.0], normal(size=30)),
    }


def _of_few_values(rng: np.random.Generator) -> dict[str, Shape]:
    def of(values: int, rows: int) -> Any:
        return rng.integers(0, values, rows)

    return {
        "constant": _numbers(np.full(600, 4.0), np.full(80, 4.0)),
        "constant, large": _numbers(np.full(20_000, 4.0), np.full(80, 4.0)),
        "another constant": _numbers(np.full(600, 4.0), np.full(80, 5.0)),
        "no longer constant": _numbers(np.full(2_000, 4.0), 4 + rng.normal(size=300)),
        "two values, small": _numbers(of(2, 900), of(2, 100)),
        "two values, large": _numbers(of(2, 3_000), rng.random(500) < 0.7),
        "five values, small": _numbers(of(5, 700), of(4, 200)),
        "five values, large": _numbers(of(5, 2_500), of(4, 400)),
        "six values, small": _numbers(of(6, 700), of(6, 300)),
        "a sixth value": _numbers(of(5, 2_500), of(6, 400)),
    }


def _of_missing(rng: np.random.Generator) -> dict[str, Shape]:
    normal = rng.normal
    infinite = normal(size=500)
    infinite[::50] = np.inf
    odd = normal(size=3_000)
    odd[::100], odd[1::100] = np.nan, -np.inf
    none = pa.nulls(200, pa.float64())
    some = float_array(normal(size=1_200))
    return {
        "a third is missing": Shape("numeric", _gaps(normal(size=900), 0.3, rng), _gaps(normal(size=400), 0.4, rng)),
        "mostly missing": Shape("numeric", _gaps(normal(size=3_000), 0.9, rng), _gaps(normal(size=400), 0.9, rng)),
        "1100 rows, 950 of them present": Shape(
            "numeric", float_array(normal(size=1_100), np.arange(1_100) % 22 > 2), float_array(normal(size=300))
        ),
        "NaN": _numbers(np.where(rng.random(2_000) < 0.1, np.nan, normal(size=2_000)), [np.nan, 1.0, 2.0, 0.5] * 30),
        "infinite and shifted": _numbers(normal(size=2_000), infinite + 1),
        "infinite in the window": _numbers(normal(size=2_000), infinite),
        "infinite in the reference": _numbers(odd, infinite),
        "window all missing": Shape("numeric", some, none),
        "reference all missing": Shape("numeric", none, some),
    }


def _of_categories(rng: np.random.Generator) -> dict[str, Shape]:
    def of(names: Sequence[str | None], rows: int, weights: Sequence[float] | None = None) -> list[Any]:
        return [names[place] for place in rng.choice(len(names), rows, p=weights)]

    many = [f"shop {place:03d}" for place in range(300)]
    return {
        "two categories": _texts(of(["no", "yes"], 800), of(["no", "yes"], 150)),
        "three categories": _texts(of(["a", "b", "c"], 900), of(["a", "b", "c"], 200, [0.5, 0.3, 0.2])),
        "three categories, large": _texts(of(["a", "b", "c"], 1_800), of(["a", "b", "c"], 200, [0.5, 0.3, 0.2])),
        "one category": _texts(["only"] * 300, ["only"] * 40),
        "another category": _texts(["old"] * 300, ["new"] * 40),
        "a new category": _texts(of(["a", "b", "c"], 600), [*of(["a", "b", "c"], 199), "d"]),
        "a new category, large": _texts(of(["a", "b", "c"], 2_600), [*of(["a", "b", "c"], 190), *["d"] * 10]),
        "a category is gone": _texts(of(["a", "b", "c", "d"], 900), of(["a", "b", "c"], 200)),
        "unicode": _texts(of(["Zürich", "東京", "😀", "Ωmega", ""], 2_000), of(["Zürich", "東京", "ß", ""], 300)),
        "many categories": _texts(of(many, 5_000), of(many, 700)),
        "rare categories": _texts(of(["a", "b", "c"], 950, [0.9, 0.09, 0.01]), of(["a", "b"], 120, [0.9, 0.1])),
        "whole numbers as categories": _texts(of(list("0123456789"), 4_000), of(list("012345678"), 90)),
        "booleans": _texts(of(["false", "true"], 2_000), of(["false", "true"], 90, [0.8, 0.2]), "boolean"),
        "booleans, small": _texts(of(["false", "true"], 300), of(["false", "true"], 90, [0.7, 0.3]), "boolean"),
        "categories with gaps": _texts(of(["a", "b", None], 1_500), of(["a", "b", None, None], 300)),
        "one category row": _texts(of(["a", "b", "c"], 500), ["b"]),
        "huge categories": _texts(of(["a", "b", "c", "d"], 110_000), of(["a", "b", "c", "d"], 100_000)),
        "categories all missing": _texts(of(["a", "b"], 400), [None] * 50),
    }


def _few(rows: int) -> list[list[int]]:
    """How often each of twelve whole numbers comes, in the reference and in the window."""
    rng = np.random.default_rng(rows)
    sides = rng.integers(0, 12, 4_000), rng.integers(0, 9, rows)
    return [np.bincount(side, minlength=12).tolist() for side in sides]


ASKED: dict[str, Any] = {
    "dataset": [f"of the data set: {name}" for name in DATASET],
    "chunks": CHUNKS,
    "empty": EMPTY,
    "infinite": INFINITE,
    "counts": [_few(rows) for rows in (30, 999, 5_000)],
    "ones": [[before, now] for before in range(0, 81, 8) for now in range(0, 81, 8) if before + now],
}
"""What the peers are asked besides the shapes; `ones` are among 80 rows of a reference and 120 of a window."""
