from __future__ import annotations

import pyarrow as pa
import pytest

from monitor.demo.data import FEATURES, between
from monitor.demo.story import DAY, REPLAY, apply_faults, delay, story

FAULTS = {fault.name: fault for fault in story(REPLAY[0])}
FEATURE_ROW = {"distance": 1000.0, "temp": 60.0, "carrier": "UA"}


def test_faults_are_in_order_apart_and_inside_the_year() -> None:
    faults = story(REPLAY[0])
    ends = [REPLAY[0]]
    for fault in faults:
        assert ends[-1] + 7 * DAY < fault.begins < fault.ends < REPLAY[1] - 30 * DAY
        assert fault.begins % DAY == 0 == fault.ends % DAY, "windows of a day are wholly in or out"
        ends.append(fault.ends)
    assert (faults[0].begins - REPLAY[0], faults[0].ends - faults[0].begins) == (30 * DAY, 10 * DAY)
    assert faults[1].ends - faults[1].begins == 5 * DAY


@pytest.mark.parametrize(
    ("offset", "distance"), [(-1, 1000.0), (0, 1609.344), (10 * DAY - 1, 1609.344), (10 * DAY, 1000.0)]
)
def test_distance_is_in_kilometres_exactly_while_the_fault_lasts(offset: float, distance: float) -> None:
    fault = FAULTS["kilometres"]
    features = apply_faults(story(REPLAY[0]), fault.begins + offset, "id", FEATURE_ROW)
    assert features == {**FEATURE_ROW, "distance": pytest.approx(distance)}
    assert FEATURE_ROW["distance"] == 1000.0, "the row itself is left alone"


def test_temp_is_missing_in_sixty_percent_of_the_rows_and_the_same_ones_each_time(flights: pa.Table) -> None:
    fault = FAULTS["missing"]
    rows = between(flights.select(["id", "time", *FEATURES]), fault.begins, fault.ends).to_pylist()
    for _ in range(2):
        gone = [apply_faults((fault,), row["time"], row["id"], row)["temp"] is None for row in rows]
        assert sum(gone) / len(gone) == pytest.approx(0.6, abs=0.02)
    days = {int(row["time"] // DAY) for row, missing in zip(rows, gone, strict=True) if missing}
    assert len(days) == 5


def test_the_server_is_slow_only_while_it_should_be() -> None:
    fault = FAULTS["slow"]
    faults = story(REPLAY[0])
    assert [delay(faults, fault.begins + offset) for offset in (-1, 0)] == [0.0, 0.3]
    assert delay(faults, fault.ends) == 0.0
    assert delay((), fault.begins) == 0.0
