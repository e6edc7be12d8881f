from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from monitor.demo.data import between
from monitor.demo.replay import Departures, LabelQueue, Pace, Step, replay, steps
from monitor.demo.story import DAY, REPLAY, Fault, story


class Recorder:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.slowed: list[float] = []

    def predict(self, departures: Departures) -> None:
        self.steps.append(departures)

    def label(self, labels: LabelQueue) -> None:
        self.steps.append(labels)

    def slow(self, seconds: float) -> None:
        self.slowed.append(seconds)


class HandClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 50.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def played(rows: pa.Table, faults: tuple[Fault, ...] = (), speed: float = 1.0) -> Recorder:
    clock, sink = HandClock(), Recorder()
    replay(rows, faults, sink, Pace(speed, clock, clock.sleep), lambda _time: None)
    return sink


@pytest.fixture(scope="module")
def days(flights: pa.Table) -> Callable[[float, float], pa.Table]:
    return lambda first, last: between(flights, REPLAY[0] + first * DAY, REPLAY[0] + last * DAY)


def test_every_flight_and_every_label_is_sent_once(days: Callable[[float, float], pa.Table]) -> None:
    rows = days(0, 5)
    sink = played(rows)
    ids = [flight["id"] for step in sink.steps if isinstance(step, Departures) for flight in step.flights]
    assert ids == rows["id"].to_pylist()
    labels = {id: late for step in sink.steps if isinstance(step, LabelQueue) for id, late in step.labels}
    late = dict(zip(rows["id"].to_pylist(), rows["late"].to_pylist(), strict=True))
    assert labels == {id: value for id, value in late.items() if value is not None}
    assert len(labels) < len(ids), "cancelled flights never get one"


def test_a_request_is_one_hour_of_departure(days: Callable[[float, float], pa.Table]) -> None:
    hours = [step for step in played(days(0, 3)).steps if isinstance(step, Departures)]
    assert [hour.hour for hour in hours] == sorted({hour.hour for hour in hours})
    for hour in hours:
        assert all(hour.hour <= flight["time"] < hour.hour + 3600 for flight in hour.flights)


def test_labels_come_before_the_hour_by_which_they_are_due_and_never_early(
    days: Callable[[float, float], pa.Table],
) -> None:
    now, seen = 0.0, set()
    for step in played(days(0, 4)).steps:
        if isinstance(step, Departures):
            now = step.hour
            seen |= {flight["id"] for flight in step.flights}
        else:
            assert step.time > now, "not before it is known"
            assert all(id in seen for id, _ in step.labels)
            now = step.time


def test_order_is_the_same_at_any_speed(days: Callable[[float, float], pa.Table]) -> None:
    rows, faults = days(28, 33), story(REPLAY[0])
    assert played(rows, faults, speed=1.0).steps == played(rows, faults, speed=1000.0).steps


def test_faults_reach_the_rows_they_should(days: Callable[[float, float], pa.Table]) -> None:
    plain = {flight["id"]: flight for step in steps(days(29, 31), ()) if isinstance(step, Departures)
             for flight in step.flights}  # fmt: skip
    begins = REPLAY[0] + 30 * DAY
    for step in steps(days(29, 31), story(REPLAY[0])):
        for flight in step.flights if isinstance(step, Departures) else ():
            factor = 1.609344 if flight["time"] >= begins else 1.0
            honest = plain[flight["id"]]["features"]
            assert flight["features"] == {**honest, "distance": pytest.approx(honest["distance"] * factor)}


def test_the_server_is_slowed_and_released(days: Callable[[float, float], pa.Table]) -> None:
    assert played(days(129, 138), story(REPLAY[0])).slowed == [0.3, 0.0]
    assert played(days(129, 132), story(REPLAY[0])).slowed == [0.3, 0.0], "also when the replay ends before the fault"
    assert played(days(0, 2), story(REPLAY[0])).slowed == []


def test_a_day_takes_a_second_at_speed_one_and_lost_time_is_not_made_up_for() -> None:
    clock = HandClock()
    pace = Pace(2.0, clock, clock.sleep)
    pace.wait(1000 * DAY)
    pace.wait(1001 * DAY)
    assert clock.now == pytest.approx(50.5)
    clock.now += 30.0
    pace.wait(1002 * DAY)
    assert clock.now == pytest.approx(80.5)
    pace.wait(1003 * DAY)
    assert clock.now == pytest.approx(81.0)
