"""Alert states, transitions and incidents as rows: written inside the transaction that judges."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from alerts.fingerprint import alert_fingerprint
from alerts.incident import Incident, incident_key
from alerts.state import AlertState, Transition
from checks.base import Labels
from monitor.store.tables import alerts, incidents, transitions

States = dict[str, dict[Labels, AlertState]]
"""By rule and label set."""

ORDER_STEP = 1e-6
"""Windows that mature together change an alert at one moment; their transitions are kept apart by this many seconds."""


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


def models(connection: Connection) -> list[str]:
    """Every model that has alert states."""
    return list(connection.scalars(select(alerts.c.model).distinct().order_by(alerts.c.model)))


def save_states(
    connection: Connection,
    model: str,
    rule: str,
    before: Mapping[Labels, AlertState],
    after: Mapping[Labels, AlertState],
    now: float,
) -> None:
    """Stores what changed between the two; what is gone from `after` is deleted. `now` is wall time."""
    new = [_row(model, rule, state, now) for labels, state in after.items() if labels not in before]
    changed = [
        {f"b_{name}": value for name, value in _row(model, rule, state, now).items()}
        for labels, state in after.items()
        if labels in before and before[labels] != state
    ]
    gone = [alert_fingerprint(rule, model, labels) for labels in before if labels not in after]
    if new:
        connection.execute(insert(alerts), new)
    if changed:
        key = [alerts.c[name] == bindparam(f"b_{name}") for name in ("model", "rule", "fingerprint")]
        values: dict[str, Any] = {name: bindparam(f"b_{name}") for name in ("state", "memory", "updated_at")}
        connection.execute(update(alerts).where(*key).values(values), changed)
    for fingerprint in gone:
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
    for change in changes:
        values = {
            "model": model,
            "rule": change.rule,
            "fingerprint": alert_fingerprint(change.rule, model, change.labels),
            "after": change.after.value,
        }
        here = [transitions.c[name] == value for name, value in values.items()]
        at, detail = change.at, dump(_detail(change))
        while (
            known := connection.scalar(select(transitions.c.detail).where(*here, transitions.c.at == at))
        ) is not None:
            if json.loads(known)["window_end"] == change.window_end:
                break
            at += ORDER_STEP
        else:
            connection.execute(
                insert(transitions).values(
                    **values,
                    labels=dump(dict(change.labels)),
                    before=change.before.value,
                    reason=change.reason.value,
                    at=at,
                    recorded_at=recorded_at,
                    value=change.value,
                    detail=detail,
                )
            )


def _detail(change: Transition) -> dict[str, Any]:
    return {"window_end": change.window_end, "level": change.level, "n": change.n, "text": change.text}


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
