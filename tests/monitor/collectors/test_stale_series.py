from __future__ import annotations

from checks.base import Measurement, NotEnough, Window, labels
from monitor.collectors.stale_series import StaleSeries

NOW = Window(0.0, 1.0)


def test_a_series_that_is_not_measured_any_more_loses_its_value() -> None:
    shown = StaleSeries()
    one = Measurement("memory_used_bytes", 1.0, NOW, labels(scope="container"))
    other = Measurement("memory_used_bytes", 2.0, NOW, labels(scope="host"))
    assert shown.whole([one, other], NOW) == [one, other]
    later = Window(1.0, 2.0)
    for _ in range(2):
        rows = shown.whole([other], later)
        assert rows[0] == other
        assert (rows[1].name, rows[1].labels, rows[1].value) == (one.name, one.labels, None)
        assert (rows[1].reason, rows[1].window) == (NotEnough.NOT_FOUND, later)
    assert shown.whole([one, other], later) == [one, other]
