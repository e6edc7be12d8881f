"""The daemon's plain reader of counts, held against the profiles themselves."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Engine, insert

import checks.reference
from checks.calibration.build_reference import build_reference
from checks.data.frame import from_reference
from checks.data.schema import SchemaOverrides
from checks.data.schema_inference import infer
from checks.drift.explanation import distribution as by_numerics
from checks.profile import NumberColumn, binning, merge, profile, summary
from checks.reference import Reference
from monitor.store.engine import open_engine
from monitor.store.results import profile_reader
from monitor.store.results.distributions import distribution
from monitor.store.tables import profiles, reference_uses, references, rollups, windows
from tests.database import tables_in

HOUR, END = 3600.0, 7200.0


def rows(seed: int, shift: float = 0.0, n: int = 900) -> pa.Table:
    rng = np.random.default_rng(seed)
    distance = rng.normal(1000 + shift, 250, n)
    distance[::50] = math.nan
    return pa.table(
        {
            "distance": distance,
            "stops": rng.integers(0, 4, n).astype(float),
            "constant": np.full(n, 3.0),
            "colour": pa.array(rng.choice([*"rgb", "purple" if shift else "r", None], n).tolist()),
            "prediction": rng.integers(0, 2, n),
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    table = rows(1)
    schema = infer(table, SchemaOverrides())
    return build_reference(from_reference(table, schema), schema)


@pytest.fixture
def engine(tmp_path: Path, reference: Reference) -> Engine:
    """One window of two parts, one rolled up and one still apart, which the reference in force judged."""
    made = open_engine(tables_in(tmp_path / "w.db"))
    first, second = (
        profile(from_reference(rows(seed, shift=400.0), reference.schema), reference.binning) for seed in (2, 3)
    )
    stored = {"model": "m", "binning_id": 1, "segment": "", "codec": "profile/2"}
    with made.begin() as connection:
        connection.execute(
            insert(references).values(
                id=1,
                model="m",
                created_at=0.0,
                created_by="t",
                kind="file",
                source="",
                version="",
                fingerprint="",
                n=reference.n,
                schema="",
                codec="reference/2",
                payload=reference.to_bytes(),
            )
        )
        connection.execute(
            insert(reference_uses).values(
                model="m",
                version="",
                reference_id=1,
                action="configured",
                plan="{}",
                recorded_at=0.0,
                recorded_by="t",
                comment="",
            )
        )
        connection.execute(insert(windows).values(model="m", start=END - HOUR, end=END, close_seq=8))
        rolled = {**stored, "seconds": 3600, "start": END - HOUR, "n": first.n, "payload": first.to_bytes()}
        connection.execute(insert(rollups).values(**rolled, seq=5))
        for chunk, seq, part in ((1, 5, first), (2, 7, second)):  # the first is in the roll-up, too
            payload = {"bucket_start": END - HOUR, "n": part.n, "payload": part.to_bytes()}
            connection.execute(insert(profiles).values(**stored, **payload, chunk_id=chunk, seq=seq))
    return made


@pytest.mark.parametrize("name", ["f:distance", "f:stops", "f:constant", "f:colour"])
def test_a_distribution_is_that_of_the_profiles(engine: Engine, reference: Reference, name: str) -> None:
    parts = [profile(from_reference(rows(seed, shift=400.0), reference.schema), reference.binning) for seed in (2, 3)]
    now = merge(*parts)
    sides = reference.profile.columns[name], now.columns[name]
    expected = by_numerics(name[2:], reference.binning.columns[name], *sides, (reference.n, now.n))

    shown = distribution(engine, "m", name, END)

    assert shown is not None
    assert (shown.rows, shown.reference_rows) == (1800, 900)
    assert shown.distribution.reference == pytest.approx(expected.reference)
    assert shown.distribution.current == pytest.approx(expected.current)
    assert shown.distribution.bins == expected.bins
    assert shown.distribution.bounds == pytest.approx(expected.bounds, rel=1e-4)
    if isinstance(sides[1], NumberColumn):
        assert shown.missing[1] == (sides[1].missing + sides[1].nan) / now.n
        without_means = expected.why.partition("; mean")[0].partition("; missing")[0]
        assert shown.distribution.why.partition("; missing")[0] == without_means


def test_what_is_not_there_is_none(engine: Engine) -> None:
    assert distribution(engine, "m", "f:nothing", END) is None
    assert distribution(engine, "m", "f:distance", END + HOUR) is None
    assert distribution(engine, "other", "f:distance", END) is None


def test_it_reads_what_the_checks_read() -> None:
    readable = (checks.reference.READABLE, binning.READABLE, summary.READABLE)
    assert tuple(profile_reader.READABLE.values()) == readable


def test_other_versions_are_refused(reference: Reference) -> None:
    bins, payload = profile_reader.of_reference(reference.to_bytes())
    with pytest.raises(profile_reader.Unreadable):
        profile_reader.of_reference(b"\x93 not a reference")
    later = payload.replace(b"\xa7version\x02", b"\xa7version\x03")
    assert later != payload
    with pytest.raises(profile_reader.Unreadable, match="version 3"):
        profile_reader.of_profile(later, bins, "f:distance")
