from __future__ import annotations

from statistics import median

import pytest

from alerts.rules.baselines import MIN_SLOTS, of_baseline


@pytest.mark.parametrize("count", [MIN_SLOTS, MIN_SLOTS + 1, 60])
def test_a_baseline_is_the_median_of_what_is_remembered(count: int) -> None:
    values = [float(number * 7 % 11) for number in range(count)]
    assert of_baseline(tuple(enumerate(values))) == median(values)


def test_of_too_few_values_there_is_none() -> None:
    assert of_baseline(tuple((number, 1.0) for number in range(MIN_SLOTS - 1))) is None
