from __future__ import annotations

from typing import Any

import pytest

from monitor.collectors.probe.json_match import difference


@pytest.mark.parametrize(
    ("expected", "got", "tolerance"),
    [
        ({"predictions": [1]}, {"predictions": [1], "version": "7"}, 0),
        ({"a": {"b": None}}, {"a": {"b": None, "c": 1}}, 0),
        ([1, 2.5], [1.0, 2.5000001], 1e-6),
        (1, 1.04, 0.05),
        (True, True, 0),
        ([], [], 0),
        ("x", "x", 0),
        (10**400, 10**400, 0),
    ],
)
def test_alike(expected: Any, got: Any, tolerance: float) -> None:
    assert difference(expected, got, tolerance) is None


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        ({"predictions": [1]}, {"predictions": [0.4]}, "$.predictions[0]: 0.4 instead of 1"),
        ({"predictions": [1]}, {}, "$.predictions is missing"),
        ({"a b": {"c": 1}}, {"a b": {"c": "1"}}, "$['a b'].c: \"1\" instead of 1"),
        ([1, 2], [1], "$: 1 items instead of 2"),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]], "$[1][1]: 5 instead of 4"),
        ({"a": 1}, [1], "$: a list of 1 instead of an object"),
        ([1], {"a": 1}, "$: an object instead of a list of 1"),
        ({"a": None}, {"a": 0}, "$.a: 0 instead of null"),
        (True, 1, "$: 1 instead of true"),
        (1, True, "$: true instead of 1"),
        (0.5, float("nan"), "$: NaN instead of 0.5"),
        (0.5, 10**400, f"$: 1{'0' * 59}… instead of 0.5"),
        ("ok", "<b>\n" + "x" * 100, '$: "<b>\\n' + "x" * 54 + '… instead of "ok"'),
    ],
)
def test_the_first_difference_is_named_by_its_path(expected: Any, got: Any, said: str) -> None:
    assert difference(expected, got, 1e-6) == said
