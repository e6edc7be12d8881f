"""Reports as rows: read by number, linked to incidents, and no more of them kept than asked for."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select, update

from monitor.store.tables import reports


@dataclass(frozen=True, slots=True)
class Report:
    """One report's place; the HTML is fetched apart."""

    id: str
    model: str
    check: str
    window_start: float
    window_end: float
    created_at: float


def recent(engine: Engine, limit: int = 20) -> list[Report]:
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
        return [Report(*row) for row in connection.execute(query)]


def html(engine: Engine, id: str, *, packed: bool) -> bytes | None:
    """The report as HTML, gzipped if `packed`; None where there is none of this number."""
    with engine.connect() as connection:
        payload = connection.scalar(select(reports.c.payload).where(reports.c.id == id))
    if payload is None or packed:
        return payload
    return gzip.decompress(payload)


def keep(connection: Connection, model: str, check: str, id: str, linked: bool, most: int) -> None:
    """Keeps this report as the check's newest, and of those that an incident links to the `most` newest ones."""
    own = (reports.c.model == model, reports.c.check_name == check)
    if linked:
        connection.execute(update(reports).where(reports.c.id == id).values(linked=1))
    connection.execute(delete(reports).where(*own, reports.c.linked == 0, reports.c.id != id))
    query = select(reports.c.id).where(*own, reports.c.linked == 1).order_by(reports.c.window_end.desc()).offset(most)
    over = list(connection.scalars(query))
    connection.execute(delete(reports).where(reports.c.id.in_(over), reports.c.id != id))
