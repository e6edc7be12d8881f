from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from watchkeeper_client.rows import encode, stamp


class Cells(Mapping[Any, Any]):
    """A mapping that is no dict, with a key that is no string."""

    def __getitem__(self, key: Any) -> Any:
        return "cell"

    def __iter__(self) -> Iterator[Any]:
        return iter([np.int64(7)])

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array([0.25, 0.75]), [0.25, 0.75]),
        (np.array(3), 3),
        (Decimal("1.5"), 1.5),
        (pd.NA, None),
        (pd.NaT, None),
        (date(2013, 4, 1), "2013-04-01"),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), 60.0),
        ({np.int64(1): 0.5}, {"1": 0.5}),
        ({True: 1, None: 2, 3: 4}, {"true": 1, "null": 2, "3": 4}),
        (Cells(), {"7": "cell"}),
        ({"b", "a"}, ["a", "b"]),
        (b"bytes", "bytes"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("Zürich ✈", "Zürich ✈"),
    ],
)
def test_foreign_values_become_json(value: object, written: object) -> None:
    body, bad = encode([{"features": {"x": value}}])
    assert not bad
    assert json.loads(body)[0]["features"]["x"] == written


def test_nan_and_infinity_are_written_as_python_writes_them() -> None:
    body, _ = encode([{"x": float("nan"), "y": float("inf"), "z": np.float32("-inf")}])
    assert body == b'[{"x":NaN,"y":Infinity,"z":-Infinity}]'


def test_a_row_that_cannot_be_written_does_not_cost_the_others() -> None:
    circle: dict[str, object] = {}
    circle["self"] = circle
    rows = [{"id": "a"}, {"id": "b", "x": object()}, {"id": "c", "x": np.int64(1)}, circle, {"id": "d"}]
    body, bad = encode(rows)
    assert bad == [1, 3]
    assert [row["id"] for row in json.loads(body)] == ["a", "c", "d"]


def test_a_datetime_without_a_zone_is_utc() -> None:
    assert stamp(datetime(2013, 4, 1)) == 1364774400.0
    assert stamp(datetime(2013, 3, 31, 20, tzinfo=timezone(timedelta(hours=-4)))) == 1364774400.0
    assert stamp("2013-04-01T00:00:00Z") == "2013-04-01T00:00:00Z"
    assert stamp(12.5) == 12.5
