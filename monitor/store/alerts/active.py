"""Which alerts fire, and which lately did: what a receiver that keeps alerts of its own is told again and again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from alerts.state.state import AlertState, Status
from checks.base import Labels
from monitor.store.alerts.states import PORTION
from monitor.store.tables import alerts, transitions


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """One alert that fires, or has stopped. Times are on the wall's clock, whatever the rule's is."""

    model: str
    rule: str
    fingerprint: str
    labels: Labels
    started_at: float
    ended_at: float | None = None
    state: AlertState | None = None
    """As long as it fires."""


def mark(connection: Connection) -> int:
    """A number that changes with every transition."""
    return connection.scalar(select(func.max(transitions.c.id))) or 0


def standing(connection: Connection, since: float) -> list[ActiveAlert]:
    """Every alert that fires, and those that stopped at or after `since` (wall time) and do not fire again."""
    firing = connection.execute(select(alerts).where(alerts.c.state == Status.FIRING.value)).all()
    now = {row.fingerprint for row in firing}
    ended = {row.fingerprint: row for row in _ended(connection, since) if row.fingerprint not in now}
    began = _began(connection, [*firing, *ended.values()])
    found = []
    for row in firing:
        state = AlertState.from_dict(json.loads(row.memory))
        started = began.get(row.fingerprint, row.updated_at)
        found.append(ActiveAlert(row.model, row.rule, row.fingerprint, state.labels, started, state=state))
    for row in ended.values():
        labels = tuple(sorted(json.loads(row.labels).items()))
        started = min(began.get(row.fingerprint, row.recorded_at), row.recorded_at)
        found.append(ActiveAlert(row.model, row.rule, row.fingerprint, labels, started, row.recorded_at))
    return sorted(found, key=lambda item: item.fingerprint)


def _ended(connection: Connection, since: float) -> Iterable[Row[Any]]:
    """The ends of firing alerts, oldest first, so that the newest of each is the last."""
    return connection.execute(
        select(transitions)
        .where(
            transitions.c.recorded_at >= since,
            transitions.c.before == Status.FIRING.value,
            transitions.c.after != Status.FIRING.value,
        )
        .order_by(transitions.c.id)
    )


def _began(connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, float]:
    """When each began to fire the last time."""
    series: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        series.setdefault((row.model, row.rule), set()).add(row.fingerprint)
    found: dict[str, float] = {}
    # By model and rule, as the index goes: the audit may be long.
    for (model, rule), fingerprints in series.items():
        these = sorted(fingerprints)
        for start in range(0, len(these), PORTION):
            query = (
                select(transitions.c.fingerprint, func.max(transitions.c.recorded_at))
                .where(
                    transitions.c.model == model,
                    transitions.c.rule == rule,
                    transitions.c.fingerprint.in_(these[start : start + PORTION]),
                    transitions.c.after == Status.FIRING.value,
                )
                .group_by(transitions.c.fingerprint)
            )
            found |= {row[0]: row[1] for row in connection.execute(query)}
    return found
