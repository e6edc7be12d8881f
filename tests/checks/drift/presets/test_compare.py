"""Exact comparisons: what surrounds the numbers, which tests/checks/drift/parity holds against the libraries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from checks.data.arrow import float_array, string_array
from checks.drift.presets.compare import METHODS, compare_exact
from checks.drift.presets.result import ColumnResult, Kind, dataset_drifted
from checks.inputs import PresetName

RNG = np.random.default_rng(1)
NUMBERS = float_array(RNG.normal(size=2_000))
NAMES = string_array([("red", "green", "blue")[place] for place in RNG.integers(0, 3, 2_000)])


@pytest.mark.parametrize(
    ("preset", "kind", "method"),
    [(preset, kind, method) for preset, kinds in METHODS.items() for kind, names in kinds.items() for method in names],
)
def test_every_method_finds_a_sample_of_the_reference_unchanged_and_another_changed(
    preset: PresetName, kind: Kind, method: str
) -> None:
    numeric = kind == "numeric"
    reference = NUMBERS if numeric else NAMES
    same = compare_exact(reference, reference.slice(0, 1_000), kind, preset, method)
    other = float_array(RNG.normal(2, 1, 1_000)) if numeric else string_array(["red"] * 900 + ["black"] * 100)
    changed = compare_exact(reference, other, kind, preset, method)
    assert (same.error, changed.error) == (None, None)
    assert (same.method, same.drifted, changed.drifted) == (method, False, True)
    assert (same.n_reference, same.n_current) == (2_000, 1_000)
    assert (same.limit_high is None) != (same.limit_low is None)
    if method != "z":
        assert same.statistic == ("p_value" if method in ("ks", "chisquare") else "distance")


@pytest.mark.parametrize("preset", METHODS)
def test_a_column_without_values_is_an_error_of_its_own(preset: PresetName) -> None:
    for reference, current in ((NUMBERS, pa.nulls(50, pa.float64())), (pa.nulls(50, pa.float64()), NUMBERS)):
        found = compare_exact(reference, current, "numeric", preset)
        assert found.value is None
        assert found.drifted is None
        assert found.error is not None
        assert "value" in found.error


def test_a_method_for_other_columns_says_which_there_are() -> None:
    found = compare_exact(NAMES, NAMES, "categorical", "nannyml", "wasserstein")
    assert found.error == "nannyml has no wasserstein for categorical columns; it has " + ", ".join(
        METHODS["nannyml"]["categorical"]
    )


def test_values_without_an_order_are_the_columns_own_error() -> None:
    text = compare_exact(NAMES, float_array(np.ones(30)), "categorical", "evidently")
    assert text.error is not None
    assert text.error.startswith("TypeError")


def test_a_result_has_a_value_or_an_error() -> None:
    with pytest.raises(ValueError, match="either"):
        ColumnResult("ks", "p_value", 0.3, 0.05, None, 10, 10)


def test_a_dataset_drifts_with_half_of_the_columns_that_have_a_verdict() -> None:
    drifted = ColumnResult("ks", "p_value", 0.01, 0.05, True, 10, 10)
    still = ColumnResult("ks", "p_value", 0.3, 0.05, False, 10, 10)
    broken = ColumnResult("ks", "p_value", None, 0.05, None, 10, 0, "no values")
    assert dataset_drifted([drifted, still, broken])
    assert not dataset_drifted([drifted, still, still])
    assert not dataset_drifted([broken])
