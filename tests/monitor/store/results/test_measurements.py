from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert

from checks.base import Measurement, NotEnough, Window, labels
from monitor.store.engine import open_engine, writing
from monitor.store.results import measurements
from monitor.store.tables import progress
from tests.database import tables_in

FIRST = Measurement("missing_ratio", 0.25, Window(0.0, 10.0), labels(feature="temp"), n=8, detail={"rows": 8})
SECOND = Measurement("missing_ratio", None, Window(10.0, 20.0), labels(feature="temp"), reason=NotEnough.NO_ROWS)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(tables_in(tmp_path / "m.db"))


def write(engine: Engine, *rows: Measurement) -> None:
    with writing(engine).begin() as connection:
        measurements.write(connection, "delays", rows)


def test_what_is_written_is_read_newest_first(engine: Engine) -> None:
    write(engine, FIRST, SECOND)
    newer, older = measurements.read(engine, "delays", name="missing_ratio")
    assert (newer["value"], newer["reason"]) == (None, "no_rows")
    assert (older["value"], older["labels"], older["detail"]) == (0.25, {"feature": "temp"}, {"rows": 8})
    assert measurements.read(engine, "delays", since=20.0) == [newer]
    assert measurements.read(engine, "delays", until=20.0) == [older]
    assert measurements.read(engine, "other") == []


def test_a_changed_measurement_is_revised_and_an_equal_one_is_not(engine: Engine) -> None:
    write(engine, FIRST)
    write(engine, FIRST)
    assert measurements.read(engine, "delays")[0]["revision"] == 0
    write(engine, replace(FIRST, value=0.5))
    [row] = measurements.read(engine, "delays")
    assert (row["value"], row["revision"]) == (0.5, 1)


def judged(engine: Engine, end: float) -> None:
    with writing(engine).begin() as connection:
        connection.execute(delete(progress))
        connection.execute(insert(progress).values(model="delays", scanned_seq=0, compacted_seq=0, judged_window=end))


def test_the_newest_window_hides_what_it_has_no_value_for(engine: Engine) -> None:
    write(engine, FIRST)
    judged(engine, 10.0)
    assert measurements.latest(engine) == [("delays", FIRST)]
    write(engine, SECOND)
    judged(engine, 20.0)
    assert measurements.latest(engine) == [("delays", SECOND)]


def test_performance_is_shown_of_the_newest_window_with_mature_labels(engine: Engine) -> None:
    mature = Measurement("performance", 0.8, Window(0.0, 10.0), labels(metric="accuracy"), n=9)
    waiting = Measurement("performance", 0.5, Window(10.0, 20.0), labels(metric="accuracy"), n=2, provisional=True)
    write(engine, mature, waiting)
    judged(engine, 20.0)
    assert measurements.latest(engine) == [("delays", mature)]


def test_labels_choose_what_is_read(engine: Engine) -> None:
    def row(**pairs: str) -> Measurement:
        return replace(FIRST, labels=labels(**pairs))

    odd = 'say "segment":"b=c"'
    rows = [
        row(feature="temp"),
        row(feature="temp", segment="a=b"),
        row(feature="temp", segment="A=b"),
        row(feature=odd),
    ]
    write(engine, *rows)

    def found(*of: tuple[str, str]) -> list[dict[str, str]]:
        return sorted((item["labels"] for item in measurements.read(engine, "delays", of=of)), key=str)

    assert found(("segment", "a=b")) == [{"feature": "temp", "segment": "a=b"}]
    assert found(("feature", "temp"), ("segment", "A=b")) == [{"feature": "temp", "segment": "A=b"}]
    assert found(("segment", "")) == [{"feature": odd}, {"feature": "temp"}]
    assert found(("segment", "b=c")) == found(("feature", "tem")) == []


def test_of_one_measurement_given_twice_the_last_counts(engine: Engine) -> None:
    write(engine, FIRST, replace(FIRST, value=0.5), SECOND)
    assert [(row["value"], row["revision"]) for row in measurements.read(engine, "delays", until=20.0)] == [(0.5, 0)]
