"""All that happened to one alert: its changes of state, what became of its incidents, and who silenced it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from alerts.incidents.incident import Incident
from alerts.incidents.silence import Silence
from monitor.store.alerts import incident_log, states
from monitor.store.alerts import silences as stored_silences
from monitor.store.tables import alerts, incidents, silences, transitions

INCIDENTS = 50
"""Incidents, the newest ones, that are looked through for the alert."""


class UnknownAlert(LookupError):
    """There is no alert of this fingerprint, and there was none."""


def history(engine: Engine, fingerprint: str, limit: int = 1000) -> dict[str, Any]:
    """Who did what to the alert, when and why: `events`, newest first, at most `limit`, by the wall's clock; changes of
    state also have `at`, the rule's own. `by` is empty for Watchkeeper itself. Raises UnknownAlert."""
    with engine.connect() as connection:
        rows = _changes(connection, fingerprint, limit)
        known = connection.execute(select(alerts).where(alerts.c.fingerprint == fingerprint)).first()
        if known is None and not rows:
            raise UnknownAlert(
                f"no alert has the fingerprint {fingerprint!r}; `alerts list --all` shows those there are"
            )
        named = rows[0] if known is None else known
        model, rule, labels = named.model, named.rule, json.loads(named.labels)
        events = [_change(row) for row in rows]
        events += _of_incidents(connection, model, fingerprint)
        events += _of_silences(connection, {**labels, "model": model, "rule": rule})
    events.sort(key=lambda event: -event["recorded_at"])
    return {
        "fingerprint": fingerprint,
        "model": model,
        "rule": rule,
        "labels": labels,
        "state": known.state if known is not None else "inactive",
        "events": events[:limit],
    }


def _changes(connection: Connection, fingerprint: str, limit: int) -> list[Row[Any]]:
    query = select(transitions).where(transitions.c.fingerprint == fingerprint)
    return list(connection.execute(query.order_by(transitions.c.id.desc()).limit(limit)).all())


def _change(row: Row[Any]) -> dict[str, Any]:
    plain = states.plain_transition(row)
    kept = ("recorded_at", "at", "before", "after", "reason", "value", "level", "n", "text", "window_end")
    return {"what": "changed", "by": "", **{name: plain[name] for name in kept}}


def _of_incidents(connection: Connection, model: str, fingerprint: str) -> list[dict[str, Any]]:
    query = select(incidents.c.id, incidents.c.body).where(incidents.c.model == model)
    found: list[dict[str, Any]] = []
    for row in connection.execute(query.order_by(incidents.c.opened_at.desc()).limit(INCIDENTS)).all():
        incident = Incident.from_dict(json.loads(row.body))
        if any(alert.fingerprint == fingerprint for alert in incident.alerts):
            found += [
                {"recorded_at": event.pop("at"), **event, "incident": row.id}
                for event in incident_log.of(connection, row.id)
                if event["what"] != "silenced"  # told by its silences, with when they end
            ]
    return found


def _of_silences(connection: Connection, labels: dict[str, str]) -> list[dict[str, Any]]:
    """Silences that match the alert whatever its severity was."""
    found = []
    for row in connection.execute(select(silences)).all():
        silence: Silence = stored_silences.of(row)
        matchers = [matcher for matcher in silence.matchers if matcher.name != "severity"]
        if matchers and all(matcher.matches(labels) for matcher in matchers):
            event = {"what": "silenced", "by": silence.created_by, "text": silence.comment, "silence": silence.id}
            found.append({"recorded_at": row.created_at, "until": silence.ends_at, **event})
    return found
