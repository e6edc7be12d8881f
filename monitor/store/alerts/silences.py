"""Silences as rows."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from alerts.incidents.matcher import Matcher, Op
from alerts.incidents.silence import Silence
from monitor.store.alerts.states import dump
from monitor.store.tables import silences


def add(connection: Connection, silence: Silence, now: float) -> None:
    values = {
        "id": silence.id,
        "matchers": dump([{"name": m.name, "op": m.op.value, "value": m.value} for m in silence.matchers]),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": silence.created_by,
        "comment": silence.comment,
        "created_at": now,
    }
    connection.execute(insert(silences).values(values))


def of(row: Row[Any]) -> Silence:
    matchers = tuple(
        Matcher(item["name"], Op(item["op"]), item["value"], stored=True) for item in json.loads(row.matchers)
    )
    return Silence(row.id, matchers, row.starts_at, row.ends_at, row.created_by, row.comment)


def active(connection: Connection, now: float) -> frozenset[str]:
    """The ids of those that hold at wall time `now`."""
    query = select(silences.c.id).where(silences.c.starts_at <= now, silences.c.ends_at > now)
    return frozenset(connection.scalars(query))
