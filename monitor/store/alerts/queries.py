"""Alerts, their history, incidents, silences and the outbox: what the page, the API and the delivery loop read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from alerts.delivery.outbox import Delivered, DeliveryOutcome, Owed, ReceiverState
from alerts.delivery.routing import Labels
from alerts.incidents.actions import acknowledge
from alerts.incidents.incident import Incident, Why
from alerts.incidents.matcher import Matcher
from alerts.incidents.silence import Silence
from alerts.state.state import AlertState, Status
from alerts.wording import LAST
from monitor.store.alerts import incident_log
from monitor.store.alerts import outbox as stored_outbox
from monitor.store.alerts import silences as stored_silences
from monitor.store.alerts import states as stored_states
from monitor.store.tables import alerts, incidents, outbox, silences, transitions
from monitor.store.writer import Writer


class UnknownIncident(LookupError):
    """There is no open incident with this id, nor with an alert of this fingerprint."""


class UnknownSilence(LookupError):
    """There is no silence with this id."""


class AlertStore:
    """Reads through the engine, writes through the writer. Lists hold JSON-ready dicts; times are epoch seconds."""

    def __init__(self, engine: Engine, writer: Writer, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._engine = engine
        self._writer = writer
        self._new_id = new_id

    @property
    def engine(self) -> Engine:
        return self._engine

    def alerts(
        self,
        model: str | None = None,
        states: Sequence[Status] = (Status.PENDING, Status.FIRING),
        limit: int | None = 1000,
    ) -> list[dict[str, Any]]:
        """Alerts in these states, newest change first; all of them without a limit. `since`, `fired_at` are on the
        rule's clock; `severity`, `summary` and `incident` are there while it is told of in an open incident."""
        query = select(alerts).where(alerts.c.state.in_([state.value for state in states]))
        if model is not None:
            query = query.where(alerts.c.model == model)
        query = query.order_by(alerts.c.updated_at.desc(), alerts.c.rule, alerts.c.fingerprint).limit(limit)
        with self._engine.connect() as connection:
            told = {
                alert.fingerprint: {
                    "incident": incident.id,
                    "severity": alert.severity.value,
                    "summary": alert.summary,
                    "moved": list(alert.moved),
                }
                for incident in stored_states.open_incidents(connection)
                for alert in incident.alerts
            }
            return [_alert(row, told) for row in connection.execute(query)]

    def worst_states(self) -> list[tuple[str, str, int]]:
        """(rule, model, 0 inactive | 1 pending | 2 firing) of each rule on each model, the worst of its label sets."""
        query = select(alerts.c.rule, alerts.c.model, alerts.c.state).distinct()
        worst: dict[tuple[str, str], int] = {}
        with self._engine.connect() as connection:
            for rule, model, state in connection.execute(query):
                rank = list(Status).index(Status(state))
                worst[rule, model] = max(rank, worst.get((rule, model), 0))
        return [(rule, model, rank) for (rule, model), rank in sorted(worst.items())]

    def transitions(
        self, model: str | None = None, rule: str | None = None, since: float | None = None, limit: int = 1000
    ) -> list[dict[str, Any]]:
        """The audit, newest first; `since` bounds `at`, the rule's clock."""
        query = select(transitions)
        for column, value in ((transitions.c.model, model), (transitions.c.rule, rule)):
            if value is not None:
                query = query.where(column == value)
        if since is not None:
            query = query.where(transitions.c.at >= since)
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(transitions.c.id.desc()).limit(limit))
            return [stored_states.plain_transition(row) for row in found]

    def incidents(self, model: str | None = None, open_only: bool = False, limit: int = 100) -> list[dict[str, Any]]:
        """Incidents as `alerts.incidents.incident` serialises them, newest first."""
        query = select(incidents.c.body)
        if model is not None:
            query = query.where(incidents.c.model == model)
        if open_only:
            query = query.where(incidents.c.resolved_at.is_(None))
        query = query.order_by(incidents.c.opened_at.desc(), incidents.c.id).limit(limit)
        with self._engine.connect() as connection:
            return [json.loads(body) for body in connection.scalars(query)]

    def notifications(self, limit: int = 100) -> list[dict[str, Any]]:
        """The outbox, newest first: what was told to whom, when and why, and what is still owed."""
        with self._engine.connect() as connection:
            found = connection.execute(select(outbox).order_by(outbox.c.id.desc()).limit(limit))
            return [dict(row._mapping) for row in found]

    def pending(self) -> dict[str, int]:
        """Notifications owed, by receiver."""
        with self._engine.connect() as connection:
            return stored_outbox.pending(connection)

    def add_silence(
        self, matchers: Sequence[Matcher], starts_at: float, ends_at: float, *, by: str, comment: str, now: float
    ) -> Silence:
        """Raises ValueError, with one sentence, for a silence that makes no sense."""
        if ends_at <= now:
            raise ValueError("a silence can't end in the past")
        if not 0 <= starts_at <= LAST or not ends_at <= LAST:  # nor NaN
            raise ValueError("a silence starts after 1970 and ends before the year 10000")
        silence = Silence(self._new_id(), tuple(matchers), starts_at, ends_at, by, comment)
        self._writer.call(lambda connection: stored_silences.add(connection, silence, now))
        return silence

    def list_silences(self, now: float, expired: bool = False) -> list[Silence]:
        """Active and coming silences, and past ones if asked for, in order of their start."""
        query = select(silences).order_by(silences.c.starts_at, silences.c.id)
        if not expired:
            query = query.where(silences.c.ends_at > now)
        with self._engine.connect() as connection:
            return [stored_silences.of(row) for row in connection.execute(query)]

    def expire_silence(self, id: str, now: float) -> Silence:
        """Ends a silence at once; what it held back is due. Raises UnknownSilence."""

        def work(connection: Connection) -> Silence:
            row = connection.execute(select(silences).where(silences.c.id == id)).one_or_none()
            if row is None:
                raise UnknownSilence(f"there is no silence {id}; `silence list` shows those there are")
            ends_at = min(row.ends_at, now)
            times = {"ends_at": ends_at, "starts_at": min(row.starts_at, ends_at)}
            connection.execute(update(silences).where(silences.c.id == id).values(times))
            stored_outbox.hasten(connection, f"silenced by {id}", now)
            return stored_silences.of(connection.execute(select(silences).where(silences.c.id == id)).one())

        return self._writer.call(work)

    def acknowledge(self, id: str, by: str, now: float, seconds: float) -> dict[str, Any]:
        """Says that somebody is on an open incident (by its id, or the fingerprint of one of its alerts); whoever was
        told of it is told that, too. Raises UnknownIncident, and ValueError for a time that can't be told."""
        if not now + seconds <= LAST:  # nor NaN
            raise ValueError("an acknowledgement ends before the year 10000")

        def work(connection: Connection) -> Incident:
            found = [
                incident
                for incident in stored_states.open_incidents(connection)
                if incident.id == id or any(alert.fingerprint == id and alert.firing for alert in incident.alerts)
            ]
            if not found:
                raise UnknownIncident(f"there is no open incident {id}; `alerts list` shows what fires")
            after = acknowledge(found[0], by, now, now + seconds)
            stored_states.save_incident(connection, after)
            incident_log.add(connection, after.id, now, "acknowledged", by)
            stored_outbox.owe(
                connection, after, Why.ACKNOWLEDGED, stored_outbox.notified_receivers(connection, after), now
            )
            return after

        return self._writer.call(work).to_dict()

    def timeline(self, incident: str) -> list[dict[str, Any]]:
        """An incident's life, oldest first: who did what, and when."""
        with self._engine.connect() as connection:
            return incident_log.of(connection, incident)

    # What `alerts.delivery.outbox.Delivery` needs (its OutboxStore).

    def owed(self, receiver: str, now: float, limit: int) -> list[Owed]:
        with self._engine.connect() as connection:
            return stored_outbox.owed(connection, receiver, now, limit)

    def silences(self, now: float) -> list[Silence]:
        return [silence for silence in self.list_silences(now) if silence.active(now)]

    def firing(self) -> list[Labels]:
        with self._engine.connect() as connection:
            return [
                alert.silence_labels(incident.model)
                for incident in stored_states.open_incidents(connection)
                for alert in incident.alerts
                if alert.firing
            ]

    def owe_also(self, incident: Incident, why: Why, receiver: str, now: float) -> None:
        def work(connection: Connection) -> None:
            if stored_outbox.never_owed(connection, incident, receiver):
                stored_outbox.owe(
                    connection, incident, Why.RESOLVED if incident.resolved else Why.FIRST, [receiver], now
                )

        self._writer.call(work)

    def lines(self) -> dict[str, ReceiverState]:
        with self._engine.connect() as connection:
            return stored_outbox.load_lines(connection)

    def keep_line(self, receiver: str, line: ReceiverState, now: float) -> None:
        self._writer.call(lambda connection: stored_outbox.keep_line(connection, receiver, line, now))

    def record(self, id: int, outcome: DeliveryOutcome, now: float, *, delivered: Delivered | None = None) -> None:
        def work(connection: Connection) -> None:
            stored_outbox.finish(connection, id, outcome, now, delivered)
            if delivered is not None:
                incident_log.add(connection, delivered.incident, now, "told", delivered.receiver)

        self._writer.call(work)

    def postpone(self, id: int, due_at: float, why: str, *, attempted: bool, unsure: bool = False) -> None:
        self._writer.call(lambda connection: stored_outbox.postpone(connection, id, due_at, why, attempted, unsure))

    def hasten(self, why: str, now: float) -> None:
        self._writer.call(lambda connection: stored_outbox.hasten(connection, why, now))

    def claim(self, id: int, owner: str, now: float, until: float, begin: bool) -> Owed | None:
        return self._writer.call(lambda connection: stored_outbox.claim(connection, id, owner, now, until, begin))


def _alert(row: Row[Any], told: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    state = AlertState.from_dict(json.loads(row.memory))
    return {
        "model": row.model,
        "rule": row.rule,
        "fingerprint": row.fingerprint,
        "metric": state.metric,
        "unit": state.unit,
        "labels": json.loads(row.labels),
        "state": row.state,
        "cause": state.cause.value,
        "since": state.since,
        "fired_at": state.fired_at,
        "value": state.value,
        "level": state.level,
        "worst": state.worst,
        "n": state.n,
        "health": state.health.value,
        "health_since": state.health_since,
        "health_text": state.health_text,
        "updated_at": row.updated_at,
        **told.get(row.fingerprint, {"incident": None, "severity": None, "summary": None, "moved": []}),
    }
