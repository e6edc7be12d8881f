"""Times as features: the same hours and weekdays from a reference and from payloads, and mismatches told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.data.datetime_parts import PARTS, parse
from checks.data.frame import from_reference
from checks.data.frame_payload import from_payload
from checks.data.schema import Schema
from checks.data.schema_inference import infer
from checks.profile import CategoryBins, CategoryColumn, make_binning, profile

START = datetime(2024, 2, 28, 22, tzinfo=UTC)
MOMENTS = [START + timedelta(minutes=37 * i) for i in range(400)]
SCHEMA = Schema(None, (("pickup", "datetime"),))


def hours(frame: pa.Table) -> list[str | None]:
    return [*frame["f:pickup.hour"].to_pylist(), *frame["f:pickup.weekday"].to_pylist()]


def payload(values: list[Any]) -> pa.Table:
    count = len(values)
    return from_payload(
        {"id": [str(i) for i in range(count)], "time": [0.0] * count, "features": {"pickup": values},
         "prediction": [1] * count}, SCHEMA
    )  # fmt: skip


EXPECTED = [f"{moment:%H}" for moment in MOMENTS] + [f"{moment:%A}" for moment in MOMENTS]


@pytest.mark.parametrize(
    "values",
    [
        pa.array(MOMENTS, pa.timestamp("us", "UTC")),
        pa.array([moment.replace(tzinfo=None) for moment in MOMENTS], pa.timestamp("ns")),
        pa.array([moment.isoformat() for moment in MOMENTS]),
        pa.array([moment.timestamp() for moment in MOMENTS]),
        pa.array([int(moment.timestamp() * 1000) for moment in MOMENTS]),
    ],
)
def test_a_reference_in_any_spelling(values: pa.Array) -> None:
    assert hours(from_reference(pa.table({"pickup": values}), SCHEMA)) == EXPECTED


def test_payloads_in_any_spelling() -> None:
    east = [moment.astimezone().isoformat() for moment in MOMENTS]
    zulu = [moment.isoformat().replace("+00:00", "Z") for moment in MOMENTS]
    bare = [moment.replace(tzinfo=None).isoformat(" ") for moment in MOMENTS]
    for values in (
        east,
        zulu,
        bare,
        [moment.timestamp() for moment in MOMENTS],
        [m.timestamp() * 1e3 for m in MOMENTS],
    ):
        assert hours(payload(values)) == EXPECTED


def test_what_is_no_time_is_a_mismatch_and_nan_is_missing() -> None:
    frame = payload(["2024-02-29T05:00:00+02:00", None, float("nan"), "soon", True, 1e30, [1], "2024-02-29"])
    assert frame["f:pickup.hour"].to_pylist() == ["03", None, None, None, None, None, None, "00"]
    made = profile(frame, make_binning(frame, SCHEMA))
    for part in PARTS:
        column = made.columns[f"f:pickup.{part}"]
        assert isinstance(column, CategoryColumn)
        assert (column.missing, column.mismatched, column.present) == (2, 4, 2)


def test_before_the_epoch() -> None:
    frame = payload(["1969-12-31T23:30:00Z", -1.0])
    assert hours(frame) == ["23", "23", "Wednesday", "Wednesday"]


def test_a_feature_that_is_not_sent_is_missing_in_its_parts() -> None:
    frame = from_payload({"id": ["a"], "time": [0.0], "features": {}, "prediction": [1]}, SCHEMA)
    assert hours(frame) == [None, None]


def test_bins_are_all_hours_in_their_order_whatever_the_reference_holds() -> None:
    rows = pa.table({"pickup": pa.array(MOMENTS[:30], pa.timestamp("s", "UTC"))})
    schema = infer(rows)
    bins = make_binning(from_reference(rows, schema), schema).columns
    for part, names in PARTS.items():
        own = bins[f"f:pickup.{part}"]
        assert isinstance(own, CategoryBins)
        assert own.own == names


def test_parse() -> None:
    assert parse(["1970-01-02", 5, None]) == [86_400.0, 5.0, None]
    assert np.isclose(parse([1.7e18])[0] or 0, 1.7e9)
