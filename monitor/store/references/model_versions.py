"""Versions of a model as its closed windows showed them, where each has a reference of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, func, insert, select, update

from checks.base import Window
from monitor.store.tables import model_versions

MOST_VERSIONS = 100
"""Versions of a model that are told apart; more are no versions, and learn nothing."""


def note_versions(connection: Connection, model: str, window: Window, counts: Mapping[str, int]) -> Iterator[str]:
    """Notes a closed window's rows by version; yields those that are new."""
    here = model_versions.c.model == model
    known = connection.scalar(select(func.count()).select_from(model_versions).where(here)) or 0
    for version, rows in sorted(counts.items()):
        seen = update(model_versions).where(here, model_versions.c.version == version)
        if connection.execute(seen.values(last_window=window.start, n=model_versions.c.n + rows)).rowcount:
            continue
        if known >= MOST_VERSIONS:
            return
        known += 1
        connection.execute(
            insert(model_versions).values(
                model=model, version=version, first_window=window.start, last_window=window.start, n=rows
            )
        )
        yield version
