"""Retention, as the daemon names it. It only passes this function on; light all the same."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, and_, delete, func, literal, literal_column, select, tuple_

from checks.catalog import CATALOG
from monitor.clock import SystemClock
from monitor.store.buckets import DAY, HOUR, bucket_of, levels
from monitor.store.engine import kept_engine, writing
from monitor.store.tables import (
    arrivals,
    check_runs,
    chunks,
    deliveries,
    idempotency,
    incident_log,
    incidents,
    labels,
    measurements,
    outbox,
    picture_images,
    picture_sends,
    pictures,
    profiles,
    progress,
    report_parts,
    reports,
    rollups,
    silences,
    transitions,
    windows,
)
from monitor.worker.messages import ModelOptions, window_of

IDEMPOTENCY_SECONDS = 86400.0
ROWS = 2_000
"""Rows a transaction of what is small."""
BYTES = 4 << 20
"""Bytes a transaction of what is large."""
PAGES = 1_000
"""Pages a transaction given back to the file system: 4 MB."""

PAGES_FREED = "pages"
"""Stands among the tables' names for what shortens the file."""

PAUSE = 0.02
"""Seconds between two transactions: whoever waits for SQLite's lock looks again only now and then."""

Expired = tuple[Table, ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class RetentionAges:
    """Seconds after which things go."""

    events: float
    """Raw events, labels, and profiles of less than an hour."""
    hours: float
    """Profiles of an hour, and of anything else less than a day."""
    history: float
    """Profiles of a day, measurements and the audit."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The result of one piece of the work."""

    removed: dict[str, int]
    """How many rows of which table."""
    next_step: int | None
    """Where the next piece goes on; None when all is done."""


def expire(
    url: str, models: Sequence[ModelOptions], now: float, ages: RetentionAges, step: int = 0, seconds: float = math.inf
) -> Removal:
    """Removes what has been kept long enough, in small transactions, for about so many seconds, at least one
    transaction. It may end after any of them: what is left is found again, from the `step` that was reached, or anew.

    What a model measures ages in event time: from `now`, or from its newest event if it is a replay. Windows whose
    verdict or labels are still to come keep their events, however old.
    """
    monotonic = SystemClock().monotonic
    until, engine = monotonic() + seconds, kept_engine(url)

    def is_over() -> bool:
        return monotonic() >= until

    try:
        removed: Counter[str] = Counter()
        expired = _expired(engine, models, now, ages)
        steps = chain((removals(engine, table, where) for table, where in expired), [_give_back(engine)])
        for number, work in islice(enumerate(steps), step, None):
            for what, count in work:
                removed[what] += count
                if is_over():
                    return Removal(_rows(removed), number if count else number + 1)
                if count:
                    time.sleep(PAUSE)
        return Removal(_rows(removed), None)
    finally:
        engine.dispose()


def _rows(removed: Counter[str]) -> dict[str, int]:
    return {what: count for what, count in removed.items() if count and what != PAGES_FREED}


def _expired(engine: Engine, models: Sequence[ModelOptions], now: float, ages: RetentionAges) -> Iterator[Expired]:
    old = now - ages.history
    for options in models:
        yield from _of_model(engine, options, now, ages)
    for model in ("", *(options.model for options in models)):
        yield measurements, _of_names(model, "wall", old)
    yield idempotency, idempotency.c.received_at < now - IDEMPOTENCY_SECONDS
    yield check_runs, check_runs.c.started_at < old
    yield transitions, transitions.c.recorded_at < old
    yield reports, reports.c.created_at < old
    yield report_parts, report_parts.c.report.not_in(select(reports.c.id))
    yield pictures, pictures.c.created_at < old
    yield picture_images, picture_images.c.picture.not_in(select(pictures.c.id))
    yield silences, silences.c.ends_at < old
    gone = select(incidents.c.id).where(incidents.c.resolved_at < old)
    yield outbox, and_(outbox.c.incident.in_(gone), outbox.c.outcome.is_not(None))
    owed = select(outbox.c.incident)
    yield deliveries, and_(deliveries.c.incident.in_(gone), deliveries.c.incident.not_in(owed))
    yield picture_sends, picture_sends.c.incident.in_(gone)
    yield incident_log, incident_log.c.incident.in_(gone)
    yield incidents, and_(incidents.c.resolved_at < old, incidents.c.id.not_in(owed))


def _of_model(engine: Engine, options: ModelOptions, now: float, ages: RetentionAges) -> Iterator[Expired]:
    model = options.model
    with engine.connect() as connection:
        row = connection.execute(select(progress).where(progress.c.model == model)).one_or_none()
        pending = connection.scalar(
            select(func.min(windows.c.start)).where(windows.c.model == model, windows.c.mature_at.is_(None))
        )
    if row is None:
        return
    # What compaction has passed and left there is damaged.
    passed = and_(arrivals.c.model == model, arrivals.c.seq <= row.compacted_seq)
    yield arrivals, and_(passed, arrivals.c.received_at < now - ages.history)
    if row.judged_window is None:
        return
    age = row.newest_time if options.replay else now
    # Whole windows, so that none is ever measured from half of its rows; and none that is still to be judged.
    limits = [window_of(age - ages.events, options.every).start, row.judged_window, pending]
    limit = min(value for value in limits if value is not None)
    yield chunks, and_(chunks.c.model == model, chunks.c.window_start < limit)
    yield labels, and_(labels.c.model == model, labels.c.window_start < limit)
    yield labels, and_(labels.c.model == model, labels.c.time < limit, labels.c.window_start.is_(None))
    yield profiles, and_(profiles.c.model == model, profiles.c.bucket_start < limit)
    for level in levels(options.every):
        gone = _rollups_before(level, options, age, limit, ages)
        yield rollups, and_(rollups.c.model == model, rollups.c.seconds == level, rollups.c.start < gone)
    old = min(age - ages.history, limit)
    yield measurements, _of_names(model, "event", old)
    yield windows, and_(windows.c.model == model, windows.c.end < old)


def _rollups_before(level: int, options: ModelOptions, age: float, limit: float, ages: RetentionAges) -> float:
    """Whole days, so that what goes is in roll-ups of a day; and none that a window which looks back may ask for."""
    if level >= DAY:
        return min(age - ages.history, limit)
    kept = ages.hours if level >= HOUR else ages.events
    return bucket_of(min(age - max(kept, *options.lookback, 0.0), limit), DAY)


def _of_names(model: str, clock: str, before: float) -> ColumnElement[bool]:
    names = [name for name, metric in CATALOG.items() if metric.clock == clock]
    return and_(measurements.c.model == model, measurements.c.window_end < before, measurements.c.name.in_(names))


def remove(engine: Engine, table: Table, where: ColumnElement[bool]) -> None:
    """Deletes the rows in small transactions, with a pause after each in which the daemon may write."""
    for _, count in removals(engine, table, where):
        if count:
            time.sleep(PAUSE)


def removals(engine: Engine, table: Table, where: ColumnElement[bool]) -> Iterator[tuple[str, int]]:
    """Delete the rows in small transactions; yield the table's name and how many rows went after each."""
    # SQLite looks up no key of several columns in a list of them: it would read all of the table for each transaction.
    keys: list[ColumnElement[Any]] = [literal_column("rowid")]
    if engine.dialect.name != "sqlite":
        keys = list(table.primary_key.columns)
    size = func.length(table.c.payload) if "payload" in table.c else literal(0)
    while True:
        with writing(engine).begin() as connection:
            rows = connection.execute(select(*keys, size).where(where).limit(ROWS)).all()
            some = [tuple(row)[:-1] for row in _within_bound(rows)]
            if len(keys) == 1:
                connection.execute(delete(table).where(keys[0].in_([key for (key,) in some])))
            elif some:
                connection.execute(delete(table).where(tuple_(*keys).in_(some)))
        yield table.name, len(some)
        if len(some) == len(rows) < ROWS:
            return


def _within_bound(rows: Sequence[Any]) -> Sequence[Any]:
    """The first rows, at least one, whose last column, a size in bytes, adds up to no more than a transaction's bound:
    SQLite may overwrite what it frees."""
    sizes = list(accumulate(row[-1] for row in rows))
    return rows[: max(1, bisect_right(sizes, BYTES))]


def _give_back(engine: Engine) -> Iterator[tuple[str, int]]:
    """Shortens SQLite's file by most of its free pages; a tenth of the file stays free for what comes next. Yields
    after each transaction."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    before = -1
    try:
        while True:
            cursor = connection.cursor()
            free = cursor.execute("PRAGMA freelist_count").fetchone()[0]
            pages = cursor.execute("PRAGMA page_count").fetchone()[0]
            # A file that was not made for it, by another program, never gets shorter.
            if free <= pages // 10 or free == before:
                return
            before = free
            # As a script, since the pragma frees one page a step, and `execute` takes a single one.
            cursor.executescript(f"PRAGMA incremental_vacuum({min(PAGES, free)})")
            cursor.close()
            yield PAGES_FREED, min(PAGES, free)
    finally:
        connection.close()
