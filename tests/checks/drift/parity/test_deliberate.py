"""Where Watchkeeper differs from a peer on purpose: the case itself, in both (docs/drift.md says why)."""

from __future__ import annotations

import pyarrow as pa
from scipy import stats

from checks.drift.methods.registry import METHODS as METHODS_OF_PROFILES
from checks.drift.presets.compare import METHODS, compare_exact
from checks.drift.presets.result import dataset_drifted
from tests.checks.drift.columns import categories, numbers
from tests.checks.drift.parity.answers import Found
from tests.checks.drift.parity.shapes import DATASET, EMPTY, INFINITE, Shape, cut_to_one_length
from tests.checks.drift.parity.test_parity import compared


def test_an_empty_column_costs_evidently_the_report_and_us_that_column(
    all_shapes: dict[str, Shape], by_evidently: Found
) -> None:
    assert "An empty column '4'" in by_evidently["with an empty column"]["error"]
    columns = [*cut_to_one_length([all_shapes[name] for name in DATASET]), all_shapes[EMPTY]]
    results = [compared(shape, "evidently") for shape in columns]
    assert [result.error is None for result in results] == [True, True, True, True, False]
    assert dataset_drifted(results) == by_evidently["dataset"]["drifted"]


def test_an_infinite_value_does_not_hide_a_drifted_column_from_the_count(
    all_shapes: dict[str, Shape], by_evidently: Found
) -> None:
    """Evidently leaves it out where it measures the column, and not where it counts columns unless one is missing."""
    assert by_evidently[INFINITE]["default"]["drifted"]
    assert by_evidently["infinite"]["value"] == 0
    ours = compared(all_shapes[INFINITE], "evidently")
    assert ours.drifted
    assert dataset_drifted([ours])


def test_one_row_of_a_new_category_is_no_proof_as_it_is_for_evidently(
    all_shapes: dict[str, Shape], by_evidently: Found
) -> None:
    """Its chi-square takes the reference's shares for the truth, in which a new category can't be."""
    name = "a new category"
    assert by_evidently[name]["chisquare"]["value"] == 0.0
    assert by_evidently[name]["chisquare"]["drifted"]
    shape = all_shapes[name]
    ground, (before, now) = categories(shape.reference.to_pylist(), shape.current.to_pylist())
    method = METHODS_OF_PROFILES["chisquare"]
    statistic = method.shown(float(method.distance(ground, before, now)), len(shape.reference), len(shape.current))
    assert stats.chi2.sf(statistic, 3) > 0.05


def test_an_outlier_moves_evidentlys_bins_and_none_of_ours(all_shapes: dict[str, Shape], by_evidently: Found) -> None:
    """Its PSI and Jensen–Shannon cut the range of both sides together; profiles have quantiles of the reference."""
    shape = all_shapes["outliers"]
    assert by_evidently["outliers"]["psi"]["value"] < 0.05, "nearly all rows are in one bin"
    shifted = pa.array([value + 1.0 if abs(value) < 10 else value for value in shape.current.to_pylist()])
    hidden = compare_exact(shape.reference, shifted, "numeric", "evidently", "psi")
    assert hidden.value is not None
    assert hidden.value < 0.1, "a shift by a standard deviation is not seen"
    ground, (before, now) = numbers(shape.reference.to_pylist(), shifted.to_pylist())
    assert float(METHODS_OF_PROFILES["psi"].distance(ground, before, now)) > 0.5


def test_a_reference_that_nannyml_can_not_be_fitted_to_is_an_error_of_that_column(
    all_shapes: dict[str, Shape], by_nannyml: Found
) -> None:
    for name in ("three rows of reference", "infinite in the reference"):
        assert by_nannyml[name]["jensen_shannon"]["error"].startswith("CalculatorException")
        error = compared(all_shapes[name], "nannyml").error
        assert error is not None
        assert "NannyML" in error


def test_no_number_is_no_verdict(all_shapes: dict[str, Shape], by_nannyml: Found) -> None:
    """Where NannyML's distance is not a number it says that nothing drifted."""
    shape = all_shapes[EMPTY]
    for method in METHODS["nannyml"]["numeric"]:
        assert by_nannyml[EMPTY][method] == {"error": "value nan"}
        assert compare_exact(shape.reference, shape.current, shape.kind, "nannyml", method).drifted is None
