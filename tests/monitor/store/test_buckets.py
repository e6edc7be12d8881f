from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from checks.base import Window
from monitor.store.buckets import DAY, HOUR, Bucket, cover, grain, levels
from monitor.worker.stored.chunks import bucket_indices, window_indices


@pytest.mark.parametrize("every", [0.5, 1.0, 60.0, 900.0, 3600.0, 5400.0, 21600.0, 86400.0, 604800.0])
def test_buckets_fill_windows_and_one_another(every: float) -> None:
    shortest = grain(every)
    assert every % shortest == 0
    found = levels(every)
    assert list(found) == sorted(found)
    assert all(level % shortest == 0 for level in found)
    # Each level is made from whole buckets of the one before.
    assert all(longer % shorter == 0 for shorter, longer in pairwise(found))


@pytest.mark.parametrize("every", [900.0, 3600.0, 86400.0])
def test_a_time_is_in_a_bucket_of_its_window_up_to_the_last_digit(every: float) -> None:
    ends = np.arange(19_000, 19_400) * float(DAY)
    times = np.concatenate([ends, np.nextafter(ends, -np.inf), np.nextafter(ends, np.inf)])
    windows = window_indices(times, every)
    found = bucket_indices(times, windows, every)
    assert (found * grain(every) // every == windows).all()


def test_the_longest_buckets_are_taken_and_of_each_the_newest_of_its_time() -> None:
    hours = [Bucket(float(hour * HOUR), HOUR, seq) for hour in range(48) for seq in (5, 9)]
    days = [Bucket(0.0, DAY, 5), Bucket(0.0, DAY, 9), Bucket(float(DAY), DAY, 12)]
    window = Window(0.0, 2.0 * DAY)
    assert cover(window, [*hours, *days], 20) == [Bucket(0.0, DAY, 9), Bucket(float(DAY), DAY, 12)]
    assert cover(window, [*hours, *days], 8) == [
        Bucket(0.0, DAY, 5),
        *(Bucket(float(hour * HOUR), HOUR, 5) for hour in range(24, 48)),
    ]
    trailing = cover(Window(2.0 * HOUR, DAY + 3.0 * HOUR), [*hours, *days], 20)
    assert [bucket.start / HOUR for bucket in trailing] == list(range(2, 27))
    assert cover(window, hours, 4) == []


def test_a_bucket_covers_what_came_in_time_and_fell_into_it() -> None:
    day = Bucket(0.0, DAY, 9)
    assert day.covers(0.0, 9)
    assert day.covers(23.0 * HOUR, 1)
    assert not day.covers(1.0 * DAY, 9)
    assert not day.covers(0.0, 10)
