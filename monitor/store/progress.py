"""How far each model's arrival log has been worked through: what was read, closed, judged and reported on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from checks.base import Window
from monitor.store.tables import arrivals, check_runs, progress, windows


def read_or_begin(connection: Connection, model: str, every: float) -> tuple[int, float | None, float | None]:
    """Return how far the log has been read: `seq`, the newest event time and the start of the first window that has
    not closed. A model without progress gets some first, with windows of `every` seconds."""
    columns = (progress.c.scanned_seq, progress.c.newest_time, progress.c.next_window)
    row = connection.execute(select(*columns).where(progress.c.model == model)).one_or_none()
    if row is not None:
        return row.scanned_seq, row.newest_time, row.next_window
    connection.execute(insert(progress).values(model=model, scanned_seq=0, compacted_seq=0, every=every))
    return 0, None, None


def read_arrivals(connection: Connection, model: str, after: int, limit: int) -> Sequence[Row[int, str, float, float]]:
    """Read the next batches after a position in the log, without their payload."""
    return connection.execute(
        select(arrivals.c.seq, arrivals.c.kind, arrivals.c.t_min, arrivals.c.t_max)
        .where(arrivals.c.model == model, arrivals.c.seq > after)
        .order_by(arrivals.c.seq)
        .limit(limit)
    ).all()


def record_scan(
    connection: Connection,
    model: str,
    closed: Iterable[tuple[Window, int]],
    *,
    seq: int,
    newest_time: float | None,
    next_window: float | None,
) -> None:
    """Store the windows that the log closed, each with the position that closed it, and how far the log was read."""
    for window, close_seq in closed:
        connection.execute(insert(windows).values(model=model, start=window.start, end=window.end, close_seq=close_seq))
    connection.execute(
        update(progress)
        .where(progress.c.model == model)
        .values(scanned_seq=seq, newest_time=newest_time, next_window=next_window)
    )


def unjudged_windows(connection: Connection, model: str, limit: int) -> tuple[int, Sequence[Row[Any]]]:
    """Read the next closed windows that have not been judged, oldest first, and the `close_seq` of the window before
    them (0: there is none)."""
    judged = connection.scalar(select(progress.c.judged_window).where(progress.c.model == model))
    query = select(windows).where(windows.c.model == model)
    previous_seq = 0
    if judged is not None:
        previous_seq = connection.execute(
            select(windows.c.close_seq).where(windows.c.model == model, windows.c.end == judged)
        ).scalar_one()
        query = query.where(windows.c.end > judged)
    return previous_seq, connection.execute(query.order_by(windows.c.end).limit(limit)).all()


def record_window(connection: Connection, model: str, window: Window, **values: Any) -> None:
    """Store what has become known of a closed window: `mature_at`, or `reference_id` and `version`."""
    here = (windows.c.model == model, windows.c.start == window.start)
    connection.execute(update(windows).where(*here).values(values))


def record_judged(connection: Connection, model: str, end: float) -> None:
    """Store that all windows up to this end are judged."""
    connection.execute(update(progress).where(progress.c.model == model).values(judged_window=end))


def uncompacted(connection: Connection, model: str) -> tuple[int, int, int]:
    """Return the last position that was read, and how many batches and rows up to it wait to be compacted."""
    seqs = connection.execute(
        select(progress.c.scanned_seq, progress.c.compacted_seq).where(progress.c.model == model)
    ).one()
    batches, rows = connection.execute(
        select(func.count(), func.sum(arrivals.c.n)).where(
            arrivals.c.model == model, arrivals.c.seq > seqs.compacted_seq, arrivals.c.seq <= seqs.scanned_seq
        )
    ).one()
    return seqs.scanned_seq, batches, rows or 0


def unreported_ends(connection: Connection, model: str, check: str, newest: int) -> Sequence[float]:
    """Return the ends of judged windows after the check's last run, oldest first. A check that never ran gets the
    `newest` ones, newest first."""
    judged = connection.scalar(select(progress.c.judged_window).where(progress.c.model == model))
    runs = (check_runs.c.model == model, check_runs.c.check_name == check)
    done = connection.scalar(select(func.max(check_runs.c.window_end)).where(*runs))
    if judged is None:
        return []
    query = select(windows.c.end).where(windows.c.model == model, windows.c.end <= judged)
    if done is None:
        query = query.order_by(windows.c.end.desc()).limit(newest)
    else:
        query = query.where(windows.c.end > done).order_by(windows.c.end)
    return connection.scalars(query).all()


def last_close_seq(connection: Connection, model: str, end: float) -> int:
    """Return the position in the log that closed the last window up to this end; 0 where none has closed."""
    query = select(func.max(windows.c.close_seq)).where(windows.c.model == model, windows.c.end <= end)
    return connection.scalar(query) or 0
