"""Alert states, transitions and incidents as rows: written inside the transaction that judges."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from alerts.incidents.incident import Incident, incident_key
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.state import AlertState, Status, Transition
from checks.base import Labels
from monitor.store.tables import alerts, incidents, transitions

States = dict[str, dict[Labels, AlertState]]
"""By rule and label set."""

ORDER_STEP = 1e-6
"""Windows that mature together change an alert at one moment; their transitions are kept apart by this many seconds."""
ORDERED = 10_000
"""As many windows at most mature together."""
PORTION = 500
"""Alerts that one query asks for."""


def dump(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def load_states(connection: Connection, model: str, rules: Collection[str] | None = None) -> States:
    """The states of these rules (all unless given) on one model."""
    query = select(alerts.c.rule, alerts.c.memory).where(alerts.c.model == model)
    if rules is not None:
        query = query.where(alerts.c.rule.in_(rules))
    found: States = {}
    for row in connection.execute(query):
        state = AlertState.from_dict(json.loads(row.memory))
        found.setdefault(row.rule, {})[state.labels] = state
    return found


def load_statuses(connection: Connection, rules: Collection[str]) -> dict[str, list[tuple[str, Status]]]:
    """(model, status) of each of these rules' alerts, by rule; one that was never judged is missing."""
    found: dict[str, list[tuple[str, Status]]] = {}
    query = select(alerts.c.rule, alerts.c.model, alerts.c.state).where(alerts.c.rule.in_(rules)).distinct()
    for row in connection.execute(query):
        found.setdefault(row.rule, []).append((row.model, Status(row.state)))
    return found


def models(connection: Connection) -> list[str]:
    """Every model that has alert states."""
    return list(connection.scalars(select(alerts.c.model).distinct().order_by(alerts.c.model)))


Changed = tuple[str, Mapping[Labels, AlertState], Mapping[Labels, AlertState]]
"""A rule, with its states before and after."""


def save_states(connection: Connection, model: str, changed: Iterable[Changed], now: float) -> None:
    """Stores what changed of each rule; what is gone from its states after is deleted. `now` is wall time."""
    new: list[dict[str, Any]] = []
    updated: list[dict[str, Any]] = []
    gone: list[tuple[str, str]] = []
    for rule, before, after in changed:
        for labels, state in after.items():
            known = before.get(labels)
            if known is None:
                new.append(_row(model, rule, state, now))
            elif known is not state and known != state:
                updated.append({f"b_{name}": value for name, value in _row(model, rule, state, now).items()})
        gone += [(rule, alert_fingerprint(rule, model, labels)) for labels in before if labels not in after]
    if new:
        connection.execute(insert(alerts), new)
    if updated:
        key = [alerts.c[name] == bindparam(f"b_{name}") for name in ("model", "rule", "fingerprint")]
        values: dict[str, Any] = {name: bindparam(f"b_{name}") for name in ("state", "memory", "updated_at")}
        connection.execute(update(alerts).where(*key).values(values), updated)
    for rule, fingerprint in gone:
        connection.execute(
            delete(alerts).where(alerts.c.model == model, alerts.c.rule == rule, alerts.c.fingerprint == fingerprint)
        )


def _row(model: str, rule: str, state: AlertState, now: float) -> dict[str, Any]:
    return {
        "model": model,
        "rule": rule,
        "fingerprint": alert_fingerprint(rule, model, state.labels),
        "labels": dump(dict(state.labels)),
        "state": state.status.value,
        "memory": dump(state.to_dict()),
        "updated_at": now,
    }


def add_transitions(connection: Connection, model: str, changes: Iterable[Transition], recorded_at: float) -> None:
    """Appends to the audit. A transition that is there already, of the same window, is not written twice."""
    moments: dict[float, list[dict[str, Any]]] = {}
    for change in changes:
        moments.setdefault(change.at, []).append(_transition_row(model, change, recorded_at))
    rows: list[dict[str, Any]] = []
    for at, together in moments.items():
        taken = _taken(connection, model, at, together)
        for row in together:
            here = taken.setdefault((row["rule"], row["fingerprint"], row["after"]), [])
            window_end = json.loads(row["detail"])["window_end"]
            if window_end not in here:
                rows.append({**row, "at": at + ORDER_STEP * len(here)})
                here.append(window_end)
    if rows:
        connection.execute(insert(transitions), rows)


def _taken(
    connection: Connection, model: str, at: float, rows: list[dict[str, Any]]
) -> dict[tuple[str, str, str], list[float]]:
    """The windows whose transitions of these alerts stand at this moment, by rule, fingerprint and state after."""
    taken: dict[tuple[str, str, str], list[float]] = {}
    for start in range(0, len(rows), PORTION):
        some = rows[start : start + PORTION]
        query = select(transitions.c.rule, transitions.c.fingerprint, transitions.c.after, transitions.c.detail).where(
            transitions.c.model == model,
            transitions.c.rule.in_({row["rule"] for row in some}),
            transitions.c.fingerprint.in_({row["fingerprint"] for row in some}),
            transitions.c.at >= at,
            transitions.c.at < at + ORDER_STEP * ORDERED,
        )
        for rule, fingerprint, after, detail in connection.execute(query):
            taken.setdefault((rule, fingerprint, after), []).append(json.loads(detail)["window_end"])
    return taken


def _transition_row(model: str, change: Transition, recorded_at: float) -> dict[str, Any]:
    detail = {"window_end": change.window_end, "level": change.level, "n": change.n, "text": change.text}
    return {
        "model": model,
        "rule": change.rule,
        "fingerprint": alert_fingerprint(change.rule, model, change.labels),
        "labels": dump(dict(change.labels)),
        "before": change.before.value,
        "after": change.after.value,
        "reason": change.reason.value,
        "recorded_at": recorded_at,
        "value": change.value,
        "detail": dump(detail),
    }


def plain_transition(row: Row[Any]) -> dict[str, Any]:
    """A transition as a JSON-ready dict."""
    plain = dict(row._mapping)
    detail = json.loads(plain.pop("detail"))
    return {**plain, **detail, "labels": json.loads(plain["labels"])}


def open_incident(connection: Connection, model: str, group: str) -> Incident | None:
    """The unresolved incident of a model and group."""
    body = connection.scalar(
        select(incidents.c.body)
        .where(incidents.c.key == incident_key(model, group), incidents.c.resolved_at.is_(None))
        .order_by(incidents.c.opened_at.desc())
        .limit(1)
    )
    return None if body is None else Incident.from_dict(json.loads(body))


def open_incidents(connection: Connection) -> list[Incident]:
    query = select(incidents.c.body).where(incidents.c.resolved_at.is_(None)).order_by(incidents.c.opened_at)
    return [Incident.from_dict(json.loads(body)) for body in connection.scalars(query)]


def recent_incidents(connection: Connection, model: str, limit: int = 50) -> list[Incident]:
    """The model's newest incidents, open or not."""
    query = select(incidents.c.body).where(incidents.c.model == model).order_by(incidents.c.opened_at.desc())
    return [Incident.from_dict(json.loads(body)) for body in connection.scalars(query.limit(limit))]


def save_incident(connection: Connection, incident: Incident) -> None:
    values = {
        "severity": incident.severity.value,
        "resolved_at": incident.resolved_at,
        "version": incident.version,
        "body": dump(incident.to_dict()),
    }
    done = connection.execute(update(incidents).where(incidents.c.id == incident.id).values(values))
    if done.rowcount == 0:
        connection.execute(
            insert(incidents).values(
                id=incident.id, key=incident.key, model=incident.model, opened_at=incident.opened_at, **values
            )
        )
