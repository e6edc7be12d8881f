"""An incident's life as rows: what happened to it, when, and by whom."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, insert, select

from monitor.store.tables import incident_log

What = Literal[
    "opened",
    "new_alerts",
    "severity_rose",
    "acknowledged",
    "acknowledgement_ended",
    "silenced",
    "silence_ended",
    "told",
    "resolved",
    "watcher_stopped",
    "watched_again",
]


def add(connection: Connection, incident: str, at: float, what: What, by: str = "", text: str = "") -> None:
    """Appends one event at wall time `at`. `by` is a person or a receiver; empty for Watchkeeper itself."""
    connection.execute(insert(incident_log).values(incident=incident, at=at, what=what, by=by[:200], text=text[:1000]))


def of(connection: Connection, incident: str) -> list[dict[str, Any]]:
    """The events, oldest first."""
    query = select(incident_log).where(incident_log.c.incident == incident).order_by(incident_log.c.id)
    return [{"at": row.at, "what": row.what, "by": row.by, "text": row.text} for row in connection.execute(query)]
