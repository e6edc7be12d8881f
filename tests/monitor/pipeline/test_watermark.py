from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from checks.base import Window
from monitor.pipeline.watermark import LONGEST_GAP, Arrival, Closed, Position, advance

HOUR = 3600.0


def closings(*times: float, allowed_lateness: float = 0.0) -> list[Closed]:
    arrivals = [Arrival(seq, time, time) for seq, time in enumerate(times, start=1)]
    return advance(Position(), arrivals, every=HOUR, allowed_lateness=allowed_lateness)[1]


def test_a_window_closes_at_the_arrival_that_moves_the_watermark_to_its_end() -> None:
    assert closings(10.0, HOUR - 1) == []
    assert closings(10.0, HOUR) == [Closed(Window(0.0, HOUR), 2)]


def test_lateness_holds_the_watermark_back() -> None:
    assert closings(10.0, HOUR + 299, allowed_lateness=300.0) == []
    assert closings(10.0, HOUR + 300, allowed_lateness=300.0) == [Closed(Window(0.0, HOUR), 2)]


def test_windows_without_events_close_too_and_at_the_same_arrival() -> None:
    assert closings(10.0, 3 * HOUR) == [
        Closed(Window(0.0, HOUR), 2),
        Closed(Window(HOUR, 2 * HOUR), 2),
        Closed(Window(2 * HOUR, 3 * HOUR), 2),
    ]


def test_an_older_event_moves_nothing() -> None:
    assert closings(5 * HOUR, 10.0, 5 * HOUR + 1) == []


def test_a_break_of_years_does_not_judge_thousands_of_empty_windows() -> None:
    later = 40 * 365 * 24 * HOUR
    assert closings(10.0, later) == [Closed(Window(0.0, HOUR), 2)]
    assert closings(10.0, later, later + HOUR)[-1] == Closed(Window(later, later + HOUR), 3)
    assert len(closings(10.0, (LONGEST_GAP + 1) * HOUR)) == LONGEST_GAP + 1


@given(
    st.lists(st.tuples(st.floats(0, 200_000), st.floats(0, 9_000)), max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
    st.sampled_from([0.0, 300.0, 7200.0]),
)
def test_reading_the_log_in_portions_changes_nothing(
    spans: list[tuple[float, float]], cuts: list[int], allowed_lateness: float
) -> None:
    arrivals = [Arrival(seq, start, start + length) for seq, (start, length) in enumerate(spans, start=1)]
    whole_position, whole = advance(Position(), arrivals, every=HOUR, allowed_lateness=allowed_lateness)
    position, closed = Position(), []
    edges = [0, *sorted(cuts), len(arrivals)]
    for low, high in itertools.pairwise(edges):
        position, more = advance(position, arrivals[low:high], every=HOUR, allowed_lateness=allowed_lateness)
        closed += more
    assert closed == whole
    assert position == whole_position
    assert [item.window.start for item in whole] == sorted({item.window.start for item in whole})
    assert all(item.close_seq > 0 for item in whole)
