from __future__ import annotations

from checks.base import Measurement, NotEnough, Window
from monitor.telemetry.latest_values import Latest


def value(end: float, number: float | None) -> Measurement:
    reason = NotEnough.NO_ROWS if number is None else None
    return Measurement("window_rows", number, Window(end - 1, end), reason=reason)


def test_a_window_without_a_value_removes_the_series_and_no_older_one_brings_it_back() -> None:
    latest = Latest()
    latest.put("m", [value(1.0, 5.0)])
    assert latest.snapshot() == [("m", value(1.0, 5.0))]
    latest.put("m", [value(2.0, None)])
    assert latest.snapshot() == []
    latest.put("m", [value(1.0, 6.0)])
    assert latest.snapshot() == []
    latest.put("m", [value(3.0, 7.0)])
    assert latest.snapshot() == [("m", value(3.0, 7.0))]


def test_forgetting_removes_a_models_series_of_a_name() -> None:
    latest = Latest()
    latest.put("m", [value(1.0, 5.0)])
    latest.put("n", [value(1.0, 5.0)])
    latest.forget("m", {"window_rows"})
    assert [model for model, _ in latest.snapshot()] == ["n"]
