"""Statements that run once a label must find it by an index: SQLite's planner is asked, with and without statistics."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, Update, select

from monitor.store.engine import writing
from monitor.store.tables import labels
from monitor.worker.compaction.commit import release
from monitor.worker.stored.label_join import waiting
from tests.monitor.worker.log import HOUR, START, Log


def plan(log: Log, statement: Select[Any] | Update) -> str:
    compiled = statement.compile(log.engine)
    with log.engine.connect() as connection:
        values = ("a",) * len(compiled.positiontup or ())
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        return "; ".join(row.detail for row in rows)


@pytest.fixture(params=["fresh", "analyzed"])
def many(log: Log, request: pytest.FixtureRequest) -> Log:
    """A log of labels, half of which wait."""
    rows = [
        {
            "model": log.model,
            "prediction_id": f"id{number}",
            "seq": 1,
            "label": "1",
            "time": START,
            "received_at": START,
            "window_start": START if number % 2 else None,
        }
        for number in range(2000)
    ]
    log.write(labels.insert().values(rows))
    if request.param == "analyzed":
        with log.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
    return log


def test_a_prediction_finds_its_waiting_labels_by_their_id(many: Log) -> None:
    assert "sqlite_autoindex_labels_1 (model=? AND prediction_id=?)" in plan(many, release(many.model))


def test_only_waiting_labels_are_read_to_know_which_wait(many: Log) -> None:
    found = plan(many, waiting(many.model))
    assert "labels_waiting (model=?)" in found or "labels_model_window (model=? AND window_start=?)" in found
    assert "TEMP" not in found


def test_a_waiting_label_is_released_and_a_placed_one_is_not(log: Log) -> None:
    log.write(
        labels.insert().values(
            [
                {
                    "model": log.model,
                    "prediction_id": "a",
                    "seq": seq,
                    "label": "1",
                    "time": START,
                    "received_at": START,
                    "window_start": start,
                }
                for seq, start in ((1, None), (2, START), (3, None))
            ]
        )
    )
    with writing(log.engine).begin() as connection:
        connection.execute(release(log.model), [{"id": "a", "start": START + HOUR}])
    found = log.rows(select(labels.c.seq, labels.c.window_start).order_by(labels.c.seq))
    assert [tuple(row) for row in found] == [(1, START + HOUR), (2, START), (3, START + HOUR)]
