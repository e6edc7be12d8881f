"""Reports as rows: read by number, linked to incidents, and no more of them kept than asked for."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update

from alerts.incidents.incident import REPORTS, ReportLink
from monitor.store.engine import writing
from monitor.store.tables import report_parts, reports

CODEC = "html/gzip"
PART = 3 << 20
"""Bytes of a report in one transaction. One on 300 columns has some 5 MB."""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """One report's place; the HTML is fetched apart."""

    id: str
    model: str
    check: str
    window_start: float
    window_end: float
    created_at: float


def add(engine: Engine, report: StoredReport, page: bytes, part: int = PART) -> None:
    """Stores a gzipped page, in transactions of at most `part` bytes, in the place of an earlier one of the same
    window, which a process that was killed left behind."""
    same = (
        reports.c.model == report.model,
        reports.c.check_name == report.check,
        reports.c.window_end == report.window_end,
    )
    values = {
        "id": report.id,
        "model": report.model,
        "check_name": report.check,
        "window_start": report.window_start,
        "window_end": report.window_end,
        "created_at": report.created_at,
        "linked": 0,
        "codec": CODEC,
        "payload": page[:part],
    }
    with writing(engine).begin() as connection:
        _remove(connection, list(connection.scalars(select(reports.c.id).where(*same))))
        connection.execute(insert(reports).values(values))
    for number, start in enumerate(range(part, len(page), part), 1):
        with writing(engine).begin() as connection:
            rest = {"report": report.id, "part": number, "payload": page[start : start + part]}
            connection.execute(insert(report_parts).values(rest))


def _remove(connection: Connection, ids: list[str]) -> None:
    connection.execute(delete(report_parts).where(report_parts.c.report.in_(ids)))
    connection.execute(delete(reports).where(reports.c.id.in_(ids)))


def recent(engine: Engine, limit: int = 20) -> list[StoredReport]:
    """The newest reports."""
    columns = (
        reports.c.id,
        reports.c.model,
        reports.c.check_name,
        reports.c.window_start,
        reports.c.window_end,
        reports.c.created_at,
    )
    with engine.connect() as connection:
        query = select(*columns).order_by(reports.c.created_at.desc(), reports.c.id).limit(limit)
        return [StoredReport(*row) for row in connection.execute(query)]


def kept(engine: Engine, ids: Iterable[str]) -> set[str]:
    """Those of these reports that are there."""
    with engine.connect() as connection:
        return set(connection.scalars(select(reports.c.id).where(reports.c.id.in_(list(ids)))))


def html(engine: Engine, id: str, *, packed: bool) -> bytes | None:
    """The report as HTML, gzipped if `packed`; None where there is none of this number."""
    with engine.connect() as connection:
        first = connection.scalar(select(reports.c.payload).where(reports.c.id == id))
        if first is None:
            return None
        rest = select(report_parts.c.payload).where(report_parts.c.report == id).order_by(report_parts.c.part)
        page = b"".join([first, *connection.scalars(rest)])
    return page if packed else gzip.decompress(page)


def link(connection: Connection, model: str, since: float) -> tuple[ReportLink, ...]:
    """The newest report of each check of the model on a window that reaches beyond `since`, marked as linked: for an
    incident that opens."""
    query = select(reports.c.id, reports.c.check_name, reports.c.window_start, reports.c.window_end).where(
        reports.c.model == model, reports.c.window_end > since
    )
    newest = {row.check_name: ReportLink(*row) for row in connection.execute(query.order_by(reports.c.window_end))}
    links = tuple(newest.values())[-REPORTS:]
    connection.execute(update(reports).where(reports.c.id.in_([link.id for link in links])).values(linked=1))
    return links


def keep(connection: Connection, model: str, check: str, id: str, linked: bool, most: int) -> None:
    """Keeps this report as the check's newest, and of those that an incident links to the `most` newest ones."""
    own = (reports.c.model == model, reports.c.check_name == check)
    if linked:
        connection.execute(update(reports).where(reports.c.id == id).values(linked=1))
    others = select(reports.c.id, reports.c.linked).where(*own, reports.c.id != id)
    rows = connection.execute(others.order_by(reports.c.window_end.desc())).all()
    kept = [row.id for row in rows if row.linked][: most - 1 if linked else most]
    _remove(connection, [row.id for row in rows if row.id not in kept])
