from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, func, insert, select, update

from monitor.store.tables import (
    arrivals,
    check_runs,
    chunks,
    deliveries,
    idempotency,
    incidents,
    labels,
    measurements,
    metadata,
    outbox,
    profiles,
    progress,
    rollups,
    windows,
)
from monitor.worker.messages import ModelOptions
from monitor.worker.upkeep import retention
from tests.monitor.worker.log import HOUR, Log

DAY = 86400.0
NOW = 100 * DAY
EVENTS, HOURS, HISTORY = 14 * DAY, 35 * DAY, 50 * DAY
AGES = retention.RetentionAges(EVENTS, HOURS, HISTORY)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0.0)


def expire(log: Log, options: ModelOptions | None = None) -> dict[str, int]:
    """All of it, in pieces of one transaction each."""
    removed: Counter[str] = Counter()
    step: int | None = 0
    while step is not None:
        done = retention.expire(log.url, [options or log.options], NOW, AGES, step, seconds=0.0)
        removed.update(done.removed)
        step = done.next_step
    return dict(removed)


def judged(log: Log, upto: float = NOW, newest: float = NOW) -> None:
    log.write(update(progress).values(judged_window=upto, newest_time=newest))


def add(log: Log, table: Table, **values: Any) -> None:
    """One row; what is not given is empty."""
    for column in table.columns:
        if column.name not in values and not column.nullable and not (column.primary_key and column.name == "id"):
            kind = column.type.python_type
            values[column.name] = log.model if column.name == "model" else kind()
    log.write(insert(table).values(values))


def chunk(log: Log, start: float, size: int = 10) -> None:
    add(log, chunks, window_start=start, payload=bytes(size))


def starts(log: Log, table: Table) -> list[float]:
    return [row[0] for row in log.rows(select(table.c.window_start).order_by(table.c.window_start))]


def count(log: Log, table: Table) -> int:
    total: int = log.rows(select(func.count()).select_from(table))[0][0]
    return total


def test_events_go_by_whole_windows_once_they_are_old_enough(log: Log) -> None:
    judged(log)
    edge = NOW - EVENTS
    for start in (edge - HOUR, edge, NOW - HOUR):
        chunk(log, start)
        add(log, labels, prediction_id=str(start), window_start=start)
    add(log, labels, prediction_id="waits", time=edge - HOUR)
    add(log, labels, prediction_id="waits still", time=edge + HOUR)
    assert expire(log) == {"chunks": 1, "labels": 2}
    assert starts(log, chunks) == [edge, NOW - HOUR]
    assert {row[0] for row in log.rows(select(labels.c.prediction_id))} == {str(edge), str(NOW - HOUR), "waits still"}


def test_what_is_still_to_be_judged_is_kept_however_old(log: Log) -> None:
    chunk(log, 0.0)
    assert expire(log) == {}
    judged(log, upto=10 * HOUR)
    chunk(log, 10 * HOUR)
    assert expire(log) == {"chunks": 1}
    assert starts(log, chunks) == [10 * HOUR]


def test_a_window_whose_labels_are_to_come_keeps_its_events(log: Log) -> None:
    judged(log)
    for hour in (1, 2):
        chunk(log, hour * HOUR)
        add(log, windows, start=hour * HOUR, end=(hour + 1) * HOUR, mature_at=(5 * HOUR if hour == 1 else None))
    assert expire(log)["chunks"] == 1
    assert starts(log, chunks) == [2 * HOUR]


def test_a_replay_ages_by_its_newest_event(log: Log) -> None:
    judged(log, upto=20 * DAY, newest=20 * DAY)
    chunk(log, 5 * DAY)
    chunk(log, 7 * DAY)
    assert expire(log, ModelOptions(log.model, replay=True)) == {"chunks": 1}
    assert starts(log, chunks) == [7 * DAY]


def test_measurements_and_profiles_of_a_day_live_as_long_as_history(log: Log) -> None:
    judged(log)
    old = NOW - HISTORY - 2 * HOUR
    for start in (old, NOW - 20 * DAY):
        add(log, rollups, seconds=int(DAY), start=start)
        add(log, windows, start=start, end=start + HOUR, mature_at=start + HOUR)
        add(log, measurements, name="window_rows", labels="{}", window_end=start + HOUR)
        add(log, measurements, name="request_rate", labels="{}", window_end=start + HOUR)
    assert expire(log) == {"rollups": 1, "measurements": 2, "windows": 1}


@pytest.mark.parametrize(
    ("every", "over", "kept"), [(60.0, (), EVENTS), (60.0, (20 * DAY,), 20 * DAY), (HOUR, (), HOURS)]
)
def test_shorter_profiles_go_by_whole_days(log: Log, every: float, over: tuple[float, ...], kept: float) -> None:
    judged(log)
    edge = NOW - kept
    for start in (edge - every, edge, edge + 5 * every):
        add(log, rollups, seconds=int(every), start=start)
        add(log, rollups, seconds=int(DAY), start=start)
    add(log, profiles, chunk_id=1, bucket_start=NOW - EVENTS - every)
    add(log, profiles, chunk_id=2, bucket_start=NOW - EVENTS)
    options = ModelOptions(log.model, every=every, lookback=over)
    assert expire(log, options) == {"rollups": 1, "profiles": 1}
    left = log.rows(select(rollups.c.start).where(rollups.c.seconds == int(every)))
    assert [row.start for row in left] == [edge, edge + 5 * every]
    # Windows that begin in the middle of a day keep that day whole.
    log.write(update(progress).values(judged_window=NOW - kept + DAY / 2))
    assert expire(log, options) == {}


def test_the_audit_goes_by_wall_time_but_never_what_is_owed(log: Log) -> None:
    old = NOW - HISTORY - 1
    add(log, check_runs, check_name="drift", started_at=old)
    for id_, resolved_at in (("open", None), ("fresh", NOW), ("over", old), ("owed", old)):
        add(log, incidents, id=id_, resolved_at=resolved_at)
        add(log, deliveries, incident=id_, receiver="slack")
        add(log, outbox, incident=id_, outcome=None if id_ == "owed" else "sent")
    assert expire(log) == {"check_runs": 1, "outbox": 1, "deliveries": 1, "incidents": 1}
    assert {row[0] for row in log.rows(select(incidents.c.id))} == {"open", "fresh", "owed"}


def test_replies_are_remembered_for_a_day(log: Log) -> None:
    add(log, idempotency, key="old", received_at=NOW - DAY - 1)
    add(log, idempotency, key="new", received_at=NOW - DAY + 1)
    assert expire(log) == {"idempotency": 1}


def test_many_rows_go_in_small_transactions_and_the_file_shrinks(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BYTES", 400_000)
    monkeypatch.setattr(retention, "ROWS", 20)
    monkeypatch.setattr(retention, "PAGES", 50)
    judged(log)
    for number in range(30):
        chunk(log, number * HOUR, size=100_000)
    assert expire(log) == {"chunks": 30}
    assert count(log, chunks) == 0
    with log.engine.connect() as connection:
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    assert free <= pages // 10
    assert (tmp_path / "watchkeeper.db").stat().st_size < 1_000_000


def test_every_table_that_grows_is_looked_at() -> None:
    watched = {table.name for table in vars(retention).values() if isinstance(table, Table)}
    bounded = {"arrivals", "progress", "alerts", "lines", "reference_profiles", "segmentations", "alembic_version"}
    bounded |= {"reference_uses", "model_versions"}  # by people's decisions, and by Standards
    assert set(metadata.tables) - watched <= bounded


def test_damaged_arrivals_go_with_the_history_and_waiting_ones_stay(log: Log) -> None:
    common = {"model": log.model, "t_min": 0.0, "t_max": 0.0, "n": 1, "codec": "msgpack-columns/1", "payload": b"?"}
    rows = [
        {"seq": 1, "kind": "damaged", "received_at": NOW - HISTORY - 1, **common},
        {"seq": 2, "kind": "damaged", "received_at": NOW - HISTORY + 1, **common},
        {"seq": 3, "kind": "predictions", "received_at": NOW - HISTORY - 1, **common},
    ]
    log.write(insert(arrivals).values(rows))
    log.write(update(progress).values(compacted_seq=2))
    assert expire(log) == {"arrivals": 1}
    assert [row.seq for row in log.rows(select(arrivals.c.seq))] == [2, 3]


def test_what_a_stop_left_is_removed_by_the_next_run(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS", 20)
    judged(log)
    many = [{"prediction_id": str(number), "window_start": NOW - EVENTS - HOUR} for number in range(100)]
    for values in many:
        add(log, labels, **values)
    first = retention.expire(log.url, [log.options], NOW, AGES, seconds=0.0)
    assert (first.removed, count(log, labels)) == ({}, 100), "the first kind had nothing"
    assert first.next_step is not None
    piece = retention.expire(log.url, [log.options], NOW, AGES, first.next_step + 1, seconds=0.0)
    assert (piece.removed, count(log, labels)) == ({"labels": 20}, 80)
    assert retention.expire(log.url, [log.options], NOW, AGES) == retention.Removal({"labels": 80}, None)


def test_no_transaction_reads_all_of_a_table_to_remove_some_rows(log: Log) -> None:
    """Of 10 million labels each then took 13 s, in which nothing else could be written."""
    for number in range(3):
        add(log, labels, prediction_id=str(number), window_start=0.0)
    sent: list[tuple[str, Any]] = []
    event.listen(log.engine, "before_cursor_execute", lambda _c, _r, sql, given, *_: sent.append((sql, given)))
    retention.remove(log.engine, labels, labels.c.window_start < 1.0)
    deletes = [(sql, given) for sql, given in sent if sql.startswith("DELETE")]
    assert deletes and count(log, labels) == 0
    with log.engine.connect() as connection:
        for sql, given in deletes:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all()
            assert not [row for row in plan if "SCAN labels" in row[-1]]
