"""Retention, as the daemon names it. It only passes this function on; light all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Engine, Table, and_, delete, func, select, tuple_

from checks.catalog import CATALOG
from monitor.store.engine import open_engine, writing
from monitor.store.tables import (
    check_runs,
    chunks,
    deliveries,
    idempotency,
    incidents,
    labels,
    measurements,
    outbox,
    profiles,
    progress,
    silences,
    transitions,
    windows,
)
from monitor.work.closing import ModelOptions, window_of

IDEMPOTENCY_SECONDS = 86400.0
ROWS = 1_000
"""Rows a transaction of what is small."""
CHUNKS = 32
"""Chunks a transaction: some megabytes of freed pages."""
PAGES = 1_000
"""Pages a transaction given back to the file system: 4 MB."""

PAUSE = 0.02
"""Seconds between two transactions: whoever waits for SQLite's lock looks again only now and then."""

Expired = tuple[Table, ColumnElement[bool]]


def expire(url: str, models: Sequence[ModelOptions], now: float, events: float, history: float) -> dict[str, int]:
    """Removes what has been kept long enough, in small transactions; returns how many rows of which table.

    `events` (seconds) is the age at which raw events and labels go, `history` that of profiles, measurements and the
    audit. What a model measures ages in event time: from `now`, or from its newest event if it is a replay. Windows
    whose verdict or labels are still to come keep their events, however old.
    """
    engine = open_engine(url)
    try:
        removed: dict[str, int] = {}
        for table, where in _expired(engine, models, now, events, history):
            removed[table.name] = removed.get(table.name, 0) + _remove(engine, table, where)
        _give_back(engine)
        return {name: count for name, count in removed.items() if count}
    finally:
        engine.dispose()


def _expired(
    engine: Engine, models: Sequence[ModelOptions], now: float, events: float, history: float
) -> Iterator[Expired]:
    old = now - history
    for options in models:
        yield from _of_model(engine, options, now, events, history)
    for model in ("", *(options.model for options in models)):
        yield measurements, _of_names(model, "wall", old)
    yield idempotency, idempotency.c.received_at < now - IDEMPOTENCY_SECONDS
    yield check_runs, check_runs.c.started_at < old
    yield transitions, transitions.c.recorded_at < old
    yield silences, silences.c.ends_at < old
    gone = select(incidents.c.id).where(incidents.c.resolved_at < old)
    yield outbox, and_(outbox.c.incident.in_(gone), outbox.c.outcome.is_not(None))
    owed = select(outbox.c.incident)
    yield deliveries, and_(deliveries.c.incident.in_(gone), deliveries.c.incident.not_in(owed))
    yield incidents, and_(incidents.c.resolved_at < old, incidents.c.id.not_in(owed))


def _of_model(engine: Engine, options: ModelOptions, now: float, events: float, history: float) -> Iterator[Expired]:
    model = options.model
    with engine.connect() as connection:
        row = connection.execute(
            select(progress.c.newest_time, progress.c.judged_window).where(progress.c.model == model)
        ).one_or_none()
        pending = connection.scalar(
            select(func.min(windows.c.start)).where(windows.c.model == model, windows.c.mature_at.is_(None))
        )
    if row is None or row.judged_window is None:
        return
    age = row.newest_time if options.replay else now
    # Whole windows, so that none is ever measured from half of its rows; and none that is still to be judged.
    limits = [window_of(age - events, options.every).start, row.judged_window, pending]
    limit = min(value for value in limits if value is not None)
    yield chunks, and_(chunks.c.model == model, chunks.c.window_start < limit)
    yield labels, and_(labels.c.model == model, labels.c.window_start < limit)
    yield labels, and_(labels.c.model == model, labels.c.time < limit, labels.c.window_start.is_(None))
    old = min(age - history, limit)
    yield profiles, and_(profiles.c.model == model, profiles.c.window_start < old)
    yield measurements, _of_names(model, "event", old)
    yield windows, and_(windows.c.model == model, windows.c.end < old)


def _of_names(model: str, clock: str, before: float) -> ColumnElement[bool]:
    names = [name for name, metric in CATALOG.items() if metric.clock == clock]
    return and_(measurements.c.model == model, measurements.c.window_end < before, measurements.c.name.in_(names))


def _remove(engine: Engine, table: Table, where: ColumnElement[bool]) -> int:
    """Deletes the rows in small transactions, with a pause after each in which the daemon may write."""
    key = tuple_(*table.primary_key.columns)
    portion = CHUNKS if table in (chunks, profiles) else ROWS
    removed = 0
    while True:
        with writing(engine).begin() as connection:
            some = connection.execute(select(*table.primary_key.columns).where(where).limit(portion)).all()
            if some:
                connection.execute(delete(table).where(key.in_([tuple(row) for row in some])))
        removed += len(some)
        if len(some) < portion:
            return removed
        time.sleep(PAUSE)


def _give_back(engine: Engine) -> None:
    """Shortens SQLite's file by most of its free pages; a tenth of the file stays free for what comes next."""
    if engine.dialect.name != "sqlite":
        return
    free = -1
    while True:
        with writing(engine).begin() as connection:
            left = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            if left <= pages // 10 or left == free:
                return
            free = left
            # The driver's own cursor: the pragma frees one page a step, and is only done once it is read to its end.
            cursor = connection.connection.cursor()
            cursor.execute(f"PRAGMA incremental_vacuum({min(PAGES, left)})")
            cursor.fetchall()
            cursor.close()
        time.sleep(PAUSE)
