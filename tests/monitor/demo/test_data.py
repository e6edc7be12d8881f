from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitor.demo import data
from monitor.demo.data import FEATURES, WEATHER, DemoError, between, join, prepare
from monitor.demo.story import REPLAY, TRAINING

HOUR = 3600


def raw(*rows: dict[str, object]) -> pa.Table:
    flight = {
        "year": 2013, "month": 7, "day": 1, "minute": 30, "hour": 9, "carrier": "UA", "flight": 1, "origin": "JFK",
        "dest": "LAX", "distance": 2475, "dep_delay": 0, "arr_delay": 0, "air_time": 300, "time_hour": 100 * HOUR,
    }  # fmt: skip
    table = pa.Table.from_pylist([{**flight, "flight": number, **row} for number, row in enumerate(rows)])
    hours = pc.cast(table["time_hour"], pa.timestamp("s", tz="UTC"))
    return table.set_column(table.column_names.index("time_hour"), "time_hour", hours)


def weather(*rows: tuple[str, int, float | None]) -> pa.Table:
    other = dict.fromkeys(WEATHER, 1.0)
    table = pa.Table.from_pylist(
        [{"origin": origin, "time_hour": hour * HOUR, **other, "temp": temp} for origin, hour, temp in rows]
    )
    hours = pc.cast(table["time_hour"], pa.timestamp("s", tz="UTC"))
    return table.set_column(1, "time_hour", hours)


def test_a_flight_is_joined_with_the_weather_of_its_airport_and_hour() -> None:
    stations = weather(("JFK", 99, 50.0), ("JFK", 100, 60.0), ("JFK", 101, 70.0), ("LGA", 100, 10.0))
    row = join(raw({}), stations).to_pylist()[0]
    assert row["temp"] == 60.0
    assert row["time"] == 100 * HOUR + 30 * 60
    assert row["id"] == "2013-07-01-UA0-JFK"
    assert (row["weekday"], row["hour"], row["destination"]) == (1.0, 9.0, "LAX")


def test_a_silent_station_is_taken_at_its_last_word_for_a_day_and_a_half() -> None:
    stations = weather(("JFK", 60, 55.0), ("JFK", 61, None))
    table = join(raw({"time_hour": 62 * HOUR}, {"time_hour": 97 * HOUR}, {"time_hour": 98 * HOUR}), stations)
    assert [row["temp"] for row in table.to_pylist()[:2]] == [55.0, 55.0]
    last = table.to_pylist()[2]["temp"]
    assert last != last, "older than 36 hours: not known"


@pytest.mark.parametrize(("arr_delay", "late"), [(15, 0), (16, 1), (-5, 0), (None, None)])
def test_late_is_more_than_15_minutes_and_cancelled_flights_have_no_label(
    arr_delay: int | None, late: int | None
) -> None:
    flight = {"arr_delay": arr_delay, **({} if arr_delay is not None else {"dep_delay": None, "air_time": None})}
    row = join(raw({}, flight), weather(("JFK", 100, 1.0))).to_pylist()[1]
    assert row["late"] == late
    assert (row["known"] is None) == (late is None)


def test_a_label_is_delivered_two_hours_after_arrival_at_the_next_quarter_of_the_day() -> None:
    # Departs 100:30 h, 10 minutes late, flies 5 h, taxis 20 minutes: arrives 106:00, known 108:00.
    rows = join(raw({"dep_delay": 10}, {"dep_delay": 11}), weather(("JFK", 100, 1.0))).to_pylist()
    assert [row["known"] / HOUR for row in rows] == [108.0, 114.0]


def test_the_year_is_whole_in_order_and_without_gaps(flights: pa.Table) -> None:
    assert flights.num_rows == 336_776
    assert len(set(flights["id"].to_pylist())) == flights.num_rows
    time = flights["time"].to_numpy()
    assert (time[1:] >= time[:-1]).all()
    for name in FEATURES:
        assert flights[name].null_count == 0, name
    for name in WEATHER:
        assert not pc.any(pc.is_nan(flights[name])).as_py(), name
    assert between(flights, *TRAINING).num_rows + between(flights, *REPLAY).num_rows == flights.num_rows
    assert flights["late"].null_count == 9_430


def test_labels_follow_hours_later(flights: pa.Table) -> None:
    lag = pc.subtract(flights["known"], flights["time"])
    assert pc.min(lag).as_py() > 2 * HOUR
    assert pc.quantile(lag, 0.99)[0].as_py() < 24 * HOUR


def test_the_cache_is_used_again(flights_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_flights", None)
    assert prepare(flights_file.parent) == flights_file


def test_a_missing_package_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DemoError, match="pip install"):
        prepare(tmp_path)
