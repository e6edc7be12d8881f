"""Measurements and check runs: written with the verdict they led to, read by the page, the API and the backtest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, insert, not_, select, update

from checks.base import Labels, Measurement, NotEnough, Window
from checks.catalog import CATALOG
from monitor.store.tables import check_runs, measurements, progress

LABELLED = sorted(name for name, metric in CATALOG.items() if metric.check == "performance")


def labels_key(labels: Labels) -> str:
    """The label set as the text it is stored and compared as."""
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"))


def write(connection: Connection, model: str, rows: Iterable[Measurement]) -> None:
    """Stores measurements. One that is there already (same name, labels and window end) is revised: its numbers are
    replaced and its revision goes up by one, unless nothing about it changed. Of one that is given twice, the last
    counts."""
    by_end: dict[float, dict[tuple[str, str], dict[str, Any]]] = {}
    for row in rows:
        by_end.setdefault(row.window.end, {})[row.name, labels_key(row.labels)] = _values(row)
    for end, found in by_end.items():
        _write_window(connection, model, end, found)


def _write_window(
    connection: Connection, model: str, end: float, found: Mapping[tuple[str, str], dict[str, Any]]
) -> None:
    own = and_(measurements.c.model == model, measurements.c.window_end == end)
    names = measurements.c.name.in_({name for name, _ in found})
    known = {(row.name, row.labels): row for row in connection.execute(select(measurements).where(own, names))}
    fresh = []
    for key, values in found.items():
        name, of = key
        if key not in known:
            fresh.append({"model": model, "name": name, "labels": of, "window_end": end, **values, "revision": 0})
        elif any(getattr(known[key], column) != value for column, value in values.items()):
            here = and_(own, measurements.c.name == name, measurements.c.labels == of)
            connection.execute(update(measurements).where(here).values(**values, revision=known[key].revision + 1))
    if fresh:
        connection.execute(insert(measurements), fresh)


def read(
    engine: Engine,
    model: str,
    name: str | None = None,
    since: float | None = None,
    until: float | None = None,
    limit: int = 1000,
    of: Labels = (),
) -> list[dict[str, Any]]:
    """The newest `limit` measurements of windows ending in [since, until), newest window first: those with all of the
    labels `of`; one with an empty value is not there."""
    query = select(measurements).where(measurements.c.model == model, *(_labelled(*pair) for pair in of))
    if name is not None:
        query = query.where(measurements.c.name == name)
    if since is not None:
        query = query.where(measurements.c.window_end >= since)
    if until is not None:
        query = query.where(measurements.c.window_end < until)
    query = query.order_by(measurements.c.window_end.desc(), measurements.c.name, measurements.c.labels).limit(limit)
    with engine.connect() as connection:
        return [_plain(row) for row in connection.execute(query)]


def latest(engine: Engine) -> list[tuple[str, Measurement]]:
    """Each series as it stands in its model's newest judged window, or, for performance, in the newest whose labels are
    mature: what a restarted daemon shows."""
    found: list[tuple[str, Measurement]] = []
    with engine.connect() as connection:
        for model, judged in connection.execute(select(progress.c.model, progress.c.judged_window)).all():
            own = measurements.c.model == model
            mature = [
                and_(
                    measurements.c.name == name,
                    measurements.c.window_end
                    == select(func.max(measurements.c.window_end))
                    .where(own, measurements.c.name == name, measurements.c.provisional == 0)
                    .scalar_subquery(),
                )
                for name in LABELLED
            ]
            newest = and_(measurements.c.window_end == judged, measurements.c.name.not_in(LABELLED))
            for where in (newest, *mature):
                found += [
                    (model, _measurement(row)) for row in connection.execute(select(measurements).where(own, where))
                ]
    return found


def record_run(
    connection: Connection,
    model: str,
    check: str,
    *,
    window_end: float | None,
    started_at: float,
    seconds: float,
    error: str = "",
) -> None:
    """One run of a check: when, how long, and what it failed with."""
    connection.execute(
        insert(check_runs).values(
            model=model,
            check_name=check,
            window_end=window_end,
            started_at=started_at,
            seconds=seconds,
            outcome="failed" if error else "ok",
            error=error,
        )
    )


def last_runs(engine: Engine) -> list[dict[str, Any]]:
    """The newest run of every check of every model."""
    newest = select(func.max(check_runs.c.id)).group_by(check_runs.c.model, check_runs.c.check_name)
    query = select(check_runs).where(check_runs.c.id.in_(newest)).order_by(check_runs.c.model, check_runs.c.check_name)
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def last_run(engine: Engine, model: str, check: str) -> dict[str, Any] | None:
    """The newest run of one check."""
    query = select(check_runs).where(check_runs.c.model == model, check_runs.c.check_name == check)
    with engine.connect() as connection:
        row = connection.execute(query.order_by(check_runs.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else dict(row._mapping)


def of_window(engine: Engine, model: str, name: str, end: float) -> list[Measurement]:
    """One metric's measurements of the windows that end there."""
    query = select(measurements).where(
        measurements.c.model == model, measurements.c.name == name, measurements.c.window_end == end
    )
    with engine.connect() as connection:
        return [_measurement(row) for row in connection.execute(query)]


def _labelled(name: str, value: str) -> ColumnElement[bool]:
    """Whether the label set has this pair. The text is JSON, in which a quote within a value is escaped, so the pair as
    text stands nowhere else; and replacing, unlike LIKE, tells upper from lower case on every database."""
    pair = f"{json.dumps(name)}:" + (json.dumps(value) if value else "")
    found = func.replace(measurements.c.labels, pair, "") != measurements.c.labels
    return found if value else not_(found)


def _values(row: Measurement) -> dict[str, Any]:
    return {
        "window_start": row.window.start,
        "value": row.value,
        "reason": None if row.reason is None else str(row.reason),
        "n": row.n,
        "low": row.low,
        "high": row.high,
        "reference": row.reference,
        "limit_low": row.limit_low,
        "limit_high": row.limit_high,
        "provisional": int(row.provisional),
        "detail": json.dumps(row.detail, sort_keys=True, separators=(",", ":")),
    }


def _plain(row: Row[Any]) -> dict[str, Any]:
    plain = dict(row._mapping)
    plain["labels"] = json.loads(plain["labels"])
    plain["detail"] = json.loads(plain["detail"])
    plain["provisional"] = bool(plain["provisional"])
    return plain


def _measurement(row: Row[Any]) -> Measurement:
    return Measurement(
        name=row.name,
        value=row.value,
        window=Window(row.window_start, row.window_end),
        labels=tuple(sorted(json.loads(row.labels).items())),
        n=row.n,
        reason=None if row.reason is None else NotEnough(row.reason),
        low=row.low,
        high=row.high,
        reference=row.reference,
        limit_low=row.limit_low,
        limit_high=row.limit_high,
        provisional=bool(row.provisional),
        detail=json.loads(row.detail),
    )
