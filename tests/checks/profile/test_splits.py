"""Rows of every type, dealt out to parts at random: however they are, their profiles add up to the whole's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.data.frame import from_reference
from checks.data.schema_inference import infer
from checks.profile import CategoryColumn, NumberColumn, Profile, empty, make_binning, merge, profile
from checks.profile.stack import Stack
from checks.source import open_source, profile_source

ROWS = 12_000


def table() -> pa.Table:
    """Numbers of several types, skewed, constant, with gaps, NaN and infinities; texts, few and many, truths, times."""
    rng = np.random.default_rng(31)
    odd = rng.lognormal(0, 2, ROWS)
    odd[::97], odd[1::193], odd[2::501] = np.nan, np.inf, -np.inf
    gaps = [None if row % 7 == 0 else float(row % 90) for row in range(ROWS)]
    shops = [f"shop {place}" for place in rng.zipf(1.6, ROWS) % 3_000]
    return pa.table(
        {
            "odd": odd,
            "gaps": pa.array(gaps, pa.float64()),
            "single": rng.normal(1e6, 1, ROWS).astype(np.float32),
            "count": rng.poisson(2, ROWS).astype(np.int16),
            "constant": np.full(ROWS, 4.0),
            "empty": pa.nulls(ROWS, pa.float64()),
            "colour": pa.array([["red", "green", "blue", None][place] for place in rng.integers(0, 4, ROWS)]),
            "shop": pa.array(shops).dictionary_encode(),
            "night": rng.random(ROWS) < 0.3,
            "due": pa.array(1_700_000_000 + rng.integers(0, 10**7, ROWS), pa.timestamp("s", "UTC")),
            "target": rng.integers(0, 2, ROWS),
            "prediction": rng.integers(0, 2, ROWS),
            "score": rng.random(ROWS),
        }
    )


TABLE = table()
REFERENCE = TABLE.slice(0, 3_000).set_column(5, "empty", pa.array(np.arange(3_000.0)))
SCHEMA = infer(REFERENCE)
BINNING = make_binning(from_reference(REFERENCE, SCHEMA), SCHEMA)
FRAME = from_reference(TABLE, SCHEMA)
WHOLE = profile(FRAME, BINNING)


def dealt(parts: int, rng: np.random.Generator) -> list[pa.Table]:
    """The rows, each to one of the parts by chance, in any order; a part may be empty."""
    order, chosen = rng.permutation(ROWS), rng.integers(0, parts, ROWS)
    return [FRAME.take(pa.array(order[chosen == part])) for part in range(parts)]


def exact(found: Profile) -> None:
    """Counts to the last one; sums and moments within what another order of adding does."""
    assert (found.n, found.fingerprint, found.errors) == (WHOLE.n, WHOLE.fingerprint, WHOLE.errors)
    assert found.columns.keys() == WHOLE.columns.keys()
    for name, column in found.columns.items():
        whole: Any = WHOLE.columns[name]
        assert column.counts.tolist() == whole.counts.tolist(), name
        assert (column.missing, column.mismatched) == (whole.missing, whole.mismatched), name
        if isinstance(column, NumberColumn):
            for part in ("nan", "infinite", "zeros", "low", "high"):
                assert getattr(column, part) == getattr(whole, part), (name, part)
            assert column.mean == pytest.approx(whole.mean, rel=1e-12)
            assert column.m2 == pytest.approx(whole.m2, rel=1e-9)
            assert column.sums == pytest.approx(whole.sums, rel=1e-12)
        else:
            assert column.distinct == whole.distinct, name


@pytest.mark.parametrize("parts", [1, 2, 3, 17, 400])
def test_any_rows_in_any_parts_in_any_order(parts: int) -> None:
    rng = np.random.default_rng(parts)
    made = [profile(frame, BINNING) for frame in dealt(parts, rng)]
    one_by_one = empty(BINNING)
    for part in made:
        one_by_one = merge(one_by_one, part)
    exact(one_by_one)
    while len(made) > 1:  # as a tree, whose branches are joined by chance
        left, right = (made.pop(int(rng.integers(len(made)))) for _ in range(2))
        made.append(merge(left, right))
    exact(made[0])


@pytest.mark.parametrize("parts", [2, 24])
def test_what_is_stored_in_between_changes_nothing(parts: int) -> None:
    payloads = [profile(frame, BINNING).to_bytes() for frame in dealt(parts, np.random.default_rng(parts))]
    exact(Stack(BINNING).profile(payloads))
    halves = [Stack(BINNING).merged(some) for some in (payloads[::2], payloads[1::2])]
    exact(Stack(BINNING).profile(halves))


def test_a_source_in_pieces_is_the_whole() -> None:
    pieces = pa.concat_tables([TABLE.slice(start, 700) for start in range(0, ROWS, 700)])
    exact(profile_source(open_source(pieces), SCHEMA, BINNING))


def test_the_counts_are_those_of_the_rows_themselves() -> None:
    """Counted here in another way, so that merging is not merely consistent with itself."""
    count = WHOLE.columns["f:count"]
    assert isinstance(count, NumberColumn)
    values = np.array(TABLE["count"].to_pylist())
    edges = np.array(BINNING.columns["f:count"].edges)  # type: ignore[union-attr]
    places = np.array([sum(edge <= value for edge in edges[1:-1]) for value in values])
    assert BINNING.columns["f:count"].inner(count.counts).tolist() == np.bincount(places).tolist()
    assert count.zeros == int((values == 0).sum())
    shop, colour = WHOLE.columns["f:shop"], WHOLE.columns["f:colour"]
    assert isinstance(shop, CategoryColumn)
    own = BINNING.columns["f:shop"].own  # type: ignore[union-attr]
    tally = Counter(TABLE["shop"].to_pylist())
    assert shop.counts[: len(own)].tolist() == [tally[name] for name in own]
    assert int(shop.counts.sum()) == ROWS
    assert colour.missing == TABLE["colour"].null_count
    assert WHOLE.columns["f:empty"].missing == ROWS
