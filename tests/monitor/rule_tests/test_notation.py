from __future__ import annotations

import math

import pytest

from monitor.rule_tests.notation import ERROR, MOST, name, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 -2.5 .5 1e3", [1.0, -2.5, 0.5, 1000.0]),
        # promtool's own examples
        ("-2+4x3", [-2.0, 2.0, 6.0, 10.0]),
        ("1-2x4", [1.0, -1.0, -3.0, -5.0, -7.0]),
        ("1x4", [1.0] * 5),
        ("1 _x3 5+5x1 stale", [1.0, None, None, None, 5.0, 10.0, None]),
        ("1x0 error errorx2", [1.0, ERROR, ERROR, ERROR]),
        ("", []),
    ],
)
def test_values(text: str, expected: list[object]) -> None:
    assert values(text) == expected


def test_what_is_no_number_is_a_value_too() -> None:
    nan, infinity = values("NaN -Inf")
    assert isinstance(nan, float) and math.isnan(nan)
    assert infinity == -math.inf


@pytest.mark.parametrize("text", ["one", "1x", "1+x3", "1xx2", "_x", "1,2", "{{schema:1}}", "1_0", "٣", "1x٣", "1٣x2"])
def test_what_is_no_value_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no value; write 1, 1x5"):
        values(f"1 {text} 2")


@pytest.mark.parametrize("text", [f"1x{MOST}", "1x999999999999", f"1x{MOST - 1} 1", f"_x{MOST + 1}"])
def test_there_is_an_end(text: str) -> None:
    with pytest.raises(ValueError, match="more than"):
        values(text)


def test_names() -> None:
    plain = ("performance", "delays", (("metric", "mae"), ("segment", "a=b c")))
    assert name('watchkeeper_performance{segment="a=b c", model="delays",metric="mae"}') == plain
    assert name("load1_ratio") == ("load1_ratio", "", ())


@pytest.mark.parametrize("text", ["", "a b", "a{", 'a{b="1"} 3', "a # b", 'a{b="1"}\nb'])
def test_what_is_no_series_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no series; write metric"):
        name(text)
