"""Exact comparisons against the libraries themselves: the same numbers and the same verdicts, shape by shape."""

from __future__ import annotations

from typing import Any

import pytest

from checks.drift.presets import nannyml
from checks.drift.presets.compare import METHODS, compare_exact
from checks.drift.presets.result import ColumnResult, dataset_drifted
from checks.inputs import PresetName
from tests.checks.drift.parity.answers import NEAR, Found, near
from tests.checks.drift.parity.shapes import CHUNKS, DATASET, Shape, cut_to_one_length, shapes

NAMES = list(shapes())


def agree(ours: ColumnResult, theirs: dict[str, Any]) -> bool:
    return (
        ours.error is None
        and ours.method == theirs["method"]
        and near(ours.method, ours.value, theirs["value"])
        and ours.drifted == theirs["drifted"]
        and (ours.method == "chi2" or near("", ours.threshold, theirs["threshold"]))
    )


def compared(shape: Shape, preset: PresetName, method: str | None = None) -> ColumnResult:
    return compare_exact(shape.reference, shape.current, shape.kind, preset, method)


def differences(shape: Shape, preset: PresetName, found: Found) -> dict[str, Any]:
    """Methods of which the peer has a number and ours is another one, or is none."""
    wrong = {}
    for method, theirs in found.items():
        ours = compared(shape, preset, None if method == "default" else method)
        if ("error" in theirs) != (ours.error is not None) or ("error" not in theirs and not agree(ours, theirs)):
            wrong[method] = (ours, theirs)
    return wrong


def test_there_are_enough_shapes() -> None:
    assert len(NAMES) >= 30


def test_most_of_what_is_compared_is_a_number(by_evidently: Found, by_nannyml: Found) -> None:
    """Errors on both sides agree, too, and prove little."""
    found = [own for peer in (by_evidently, by_nannyml) for name in NAMES for own in peer[name].values()]
    assert sum("error" not in own for own in found) > 0.9 * len(found) > 500


@pytest.mark.parametrize("name", NAMES)
def test_evidently(name: str, all_shapes: dict[str, Shape], by_evidently: Found) -> None:
    assert set(by_evidently[name]) == {"default", *METHODS["evidently"][all_shapes[name].kind]}
    assert differences(all_shapes[name], "evidently", by_evidently[name]) == {}


@pytest.mark.parametrize("name", NAMES)
def test_nannyml(name: str, all_shapes: dict[str, Shape], by_nannyml: Found) -> None:
    assert set(by_nannyml[name]) == set(METHODS["nannyml"][all_shapes[name].kind])
    assert differences(all_shapes[name], "nannyml", by_nannyml[name]) == {}


def test_evidentlys_verdict_on_a_data_set(all_shapes: dict[str, Shape], by_evidently: Found) -> None:
    columns = cut_to_one_length([all_shapes[name] for name in DATASET])
    results = [compared(shape, "evidently") for shape in columns]
    assert sum(result.drifted is True for result in results) == by_evidently["dataset"]["value"]
    assert dataset_drifted(results) == by_evidently["dataset"]["drifted"]


def test_nannymls_own_chunks_of_a_window(all_shapes: dict[str, Shape], by_nannyml: Found) -> None:
    shape = all_shapes[CHUNKS]
    fitted = nannyml.fit(shape.reference, shape.kind)
    size = len(shape.current) // 10
    ours = [fitted.compare(shape.current.slice(start, size)) for start in range(0, len(shape.current), size)]
    assert [result.value for result in ours] == pytest.approx(by_nannyml["chunks"]["values"], abs=NEAR)
    assert [result.drifted for result in ours] == by_nannyml["chunks"]["drifted"]
