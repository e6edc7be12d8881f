"""What a released version wrote stays readable, with the same numbers.

The files under `golden/` were written once, by the first release with their version, and never change.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from checks.base import labels
from checks.profile import Binning, CategoryColumn, NumberColumn, Profile
from checks.reference import Reference

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("version", [2])
def test_a_stored_profile_keeps_its_numbers(version: int) -> None:
    binning = Binning.from_bytes((GOLDEN / f"binning-{version}.bin").read_bytes())
    made = Profile.from_bytes((GOLDEN / f"profile-{version}.bin").read_bytes(), binning)
    expected = msgspec.json.decode((GOLDEN / f"profile-{version}.json").read_bytes())
    assert binning.fingerprint.hex() == expected["fingerprint"]
    assert made.n == expected["n"]
    assert dict(made.errors) == expected["errors"]
    for name, numbers in expected["columns"].items():
        column = made.columns[name]
        assert column.counts.tolist() == numbers.pop("counts")
        if isinstance(column, NumberColumn):
            assert column.sums.tolist() == numbers.pop("sums")
        elif isinstance(column, CategoryColumn):
            assert list(column.examples.items()) == [tuple(pair) for pair in numbers.pop("examples")]
        for field, value in numbers.items():
            assert getattr(column, field) == value, f"{name}.{field}"


@pytest.mark.parametrize("version", [3])
def test_a_stored_reference_keeps_its_limits(version: int) -> None:
    made = Reference.from_bytes((GOLDEN / f"reference-{version}.bin").read_bytes())
    expected = msgspec.json.decode((GOLDEN / f"reference-{version}.json").read_bytes())
    assert (made.n, made.schema.task, list(made.binning.columns)) == (3_000, "binary", expected["columns"])
    assert made.performance["accuracy"].value == expected["accuracy"]
    for metric, of, rows, *seconds, limit in expected["limits"]:
        assert made.calibration.limit(metric, labels(**of), rows, *seconds) == pytest.approx(limit, rel=1e-12)
