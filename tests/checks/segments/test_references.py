from __future__ import annotations

import numpy as np
import pytest

from checks.base import Measurement, NotEnough, labels
from checks.inputs import CheckOptions
from checks.run import Check
from checks.segments.dimension import Dimension
from checks.segments.measure import run_segment
from checks.segments.parts import DEFAULT
from checks.segments.references import ENOUGH, Segmentation
from tests.checks.sample import reference, table
from tests.checks.segments.windows import frame_of, segmented, window, window_of

ROWS = 24_000
CITIES = np.array(["Paris", "Rome", "Oslo", "Bern"])


def _cities(seed: int, rows: int = ROWS) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return CITIES[np.random.default_rng(seed).choice(4, rows, p=[0.5, 0.3, 0.195, 0.005])]


def _amounts(
    cities: np.ndarray[tuple[int], np.dtype[np.str_]], seed: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Oslo's amounts are nothing like those of the others."""
    return np.random.default_rng(seed).normal(np.where(cities == "Oslo", 60.0, 100.0), 15.0)


MADE = table(ROWS, city=_cities(1), amount=_amounts(_cities(1), 2))
NORMAL = reference(ROWS, city=_cities(1), amount=_amounts(_cities(1), 2))
SEGMENTS = segmented(NORMAL, MADE, "f:city")
OPTIONS = CheckOptions(min_rows=50, methods=("psi", "jensenshannon"))


def _measured(city: str, rows: int = 3_000, shift: float = 0.0) -> list[Measurement]:
    """The segment's measurements in a window in which Oslo's amounts are shifted."""
    cities = _cities(7, rows)
    amounts = _amounts(cities, 8) + np.where(cities == "Oslo", shift, 0.0)
    frame = frame_of(table(rows, 9, city=cities, amount=amounts))
    parts = dict(zip(SEGMENTS.dimension.segments, SEGMENTS.dimension.split(frame, NORMAL.binning), strict=True))
    name = f"city={city}"
    data = window_of(NORMAL, parts[name])
    return run_segment(name, data, SEGMENTS.references.get(name), OPTIONS, DEFAULT).measurements


def _drifted(count: Measurement) -> list[str]:
    return [item["feature"] for item in count.detail["features"]]


def _value(rows: list[Measurement], name: str, **pairs: str) -> Measurement:
    (found,) = [row for row in rows if row.name == name and pairs.items() <= dict(row.labels).items()]
    return found


@pytest.mark.parametrize("city", ["Paris", "Rome", "Oslo"])
def test_a_segment_is_held_against_its_own_rows_of_the_reference(city: str) -> None:
    rows = _measured(city)
    drifted = _value(rows, "drifted_features")
    assert (drifted.value, drifted.detail["compared"]) == (0.0, 3)
    assert all(dict(row.labels)["segment"] == f"city={city}" for row in rows)
    own = SEGMENTS.references[f"city={city}"]
    accuracy = _value(rows, "performance", metric="accuracy")
    assert accuracy.reference == own.performance["accuracy"].value
    assert accuracy.limit_low is not None


def test_against_the_whole_a_peculiar_segment_would_always_have_drifted() -> None:
    frame = frame_of(table(600, 9, city=np.repeat("Oslo", 600), amount=_amounts(np.repeat("Oslo", 600), 8)))
    whole = run_segment("city=Oslo", window_of(NORMAL, frame), NORMAL, OPTIONS, ("drift",)).measurements
    assert "amount" in _drifted(_value(whole, "drifted_features"))
    assert _value(_measured("Oslo"), "drifted_features").value == 0.0


def test_a_shift_in_one_segment_is_seen_there_and_nowhere_else() -> None:
    drifted = {city: _value(_measured(city, shift=20.0), "drifted_features") for city in ("Paris", "Rome", "Oslo")}
    assert {city: row.value for city, row in drifted.items()} == {"Paris": 0.0, "Rome": 0.0, "Oslo": 1.0}
    assert _drifted(drifted["Oslo"]) == ["amount"]


def test_limits_of_a_small_segment_are_wider_than_the_whole_s() -> None:
    key = ("performance", labels(metric="accuracy"))
    whole, small = NORMAL.calibration, SEGMENTS.references["city=Oslo"].calibration
    assert small.limits[key].at(100) < whole.limits[key].at(1_000)
    assert set(small.limits) < set(whole.limits)


def test_a_segment_of_which_the_reference_has_too_few_rows_says_so_and_is_never_held_against_the_whole() -> None:
    assert 0 < int((_cities(1) == "Bern").sum()) < ENOUGH
    assert "city=Bern" in SEGMENTS.dimension.segments
    assert "city=Bern" not in SEGMENTS.references
    frame = frame_of(table(600, 9, city=np.repeat("Bern", 600)))
    found = run_segment("city=Bern", window_of(NORMAL, frame), None, OPTIONS, DEFAULT).measurements
    assert _value(found, "drifted_features").reason is NotEnough.NO_REFERENCE
    accuracy = _value(found, "performance", metric="accuracy")
    assert accuracy.value is not None
    assert (accuracy.reference, accuracy.limit_low) == (None, None)


def test_an_empty_segment_is_a_value_of_no_rows_and_has_reasons_for_the_rest() -> None:
    frame = frame_of(table(600)).slice(0, 0)
    found = run_segment("city=Oslo", window_of(NORMAL, frame), SEGMENTS.references["city=Oslo"], OPTIONS, DEFAULT)
    assert not found.errors
    reasons = {row.name: row.reason for row in found.measurements if row.value is None}
    assert reasons == dict.fromkeys(
        ("drifted_features", "prediction_drift", "missing_ratio", "performance", "label_coverage_ratio"),
        NotEnough.NO_ROWS,
    )
    assert _value(found.measurements, "window_rows").value == 0.0


def test_a_segmentation_survives_its_bytes() -> None:
    again = Segmentation.from_bytes(SEGMENTS.to_bytes(), NORMAL)
    assert again.dimension == SEGMENTS.dimension
    assert again.references.keys() == SEGMENTS.references.keys()
    for name, one in SEGMENTS.references.items():
        other = again.references[name]
        assert (one.calibration, one.performance, one.n) == (other.calibration, other.performance, other.n)
        assert one.profile.to_bytes() == other.profile.to_bytes()


def test_the_same_rows_give_the_same_bytes() -> None:
    assert segmented(NORMAL, MADE, "f:city").to_bytes() == SEGMENTS.to_bytes()


def test_a_check_that_raises_on_a_segment_is_an_error_by_the_check_s_name() -> None:
    def broken(*_: object) -> list[Measurement]:
        raise ArithmeticError("no")

    checks = {"volume": Check(broken, ("window_rows", "window_end_timestamp_seconds"))}
    found = run_segment("city=Oslo", window(NORMAL, 300), None, OPTIONS, ("volume",), checks=checks)
    assert found.errors == {"volume": "check volume failed: ArithmeticError: no"}
    assert set(found.failed) == {"window_rows"}


def test_a_tag_that_the_reference_lacks_has_segments_without_references() -> None:
    found = Segmentation(Dimension("t:country", ("DE", "FR")))
    assert Segmentation.from_bytes(found.to_bytes(), NORMAL) == found
