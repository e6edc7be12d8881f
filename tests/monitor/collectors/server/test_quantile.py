from __future__ import annotations

from math import inf

import pytest

from monitor.collectors.server.quantile import quantile, without_fastest


@pytest.mark.parametrize(
    ("q", "buckets", "expected"),
    [
        (0.5, {0.1: 0, 0.2: 10, inf: 10}, 0.15),
        (0.9, {0.1: 5, 0.2: 10, inf: 10}, 0.18),
        (0.5, {1.0: 10, inf: 10}, 0.5),  # the first bucket begins at 0
        (0.5, {0.0: 10, 1.0: 10, inf: 10}, 0.0),  # unless it ends there
        (0.99, {0.1: 5, 0.2: 9, inf: 10}, 0.2),  # beyond the last bound: that bound
        (0.5, {0.1: 5, 0.2: 5, 0.3: 10, inf: 10}, 0.1),  # exactly at a bound
        (0.6, {0.1: 5, 0.2: 5, 0.3: 10, inf: 10}, 0.22),  # over an empty bucket
        (0.5, {0.1: 8, 0.2: 6, inf: 10}, 0.0625),  # a bucket that lags behind the one before
        (0.5, {0.1: 0, inf: 0}, None),
        (0.5, {0.1: 5, 0.2: 9}, None),  # without +Inf the total is not known
        (0.5, {inf: 5}, None),
        (0.5, {}, None),
    ],
)
def test_as_prometheus_does(q: float, buckets: dict[float, float], expected: float | None) -> None:
    assert quantile(q, buckets) == (None if expected is None else pytest.approx(expected))


def test_the_fastest_can_be_taken_out() -> None:
    assert without_fastest({0.1: 5, 0.2: 8, inf: 10}, 6) == {0.1: 0, 0.2: 2, inf: 4}
