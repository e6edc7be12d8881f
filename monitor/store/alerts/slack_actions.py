"""What a press on a button in a chat does to an incident, each in one transaction: whoever was told of the incident
hears of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

from sqlalchemy import Connection, Engine, select

from alerts.incidents.actions import acknowledge, silenced, silencing_matchers
from alerts.incidents.incident import Acknowledgement, Incident, Silencing, Why
from alerts.incidents.silence import Silence
from alerts.notify import Address
from alerts.wording import stamp
from monitor.store.alerts import incident_log, outbox, silences, states
from monitor.store.tables import deliveries, incidents
from monitor.store.writer import Writer

SAME = 60.0
"""Seconds by which two silences' ends may differ and still be the same wish: a second click makes no second one."""


class SlackActionStore:
    """Incidents as `alerts.notify.slack.action_handler.ActionHandler` handles them. Times are epoch seconds."""

    def __init__(self, engine: Engine, writer: Writer, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._engine, self._writer, self._new_id = engine, writer, new_id

    def incident(self, id: str) -> Incident | None:
        with self._engine.connect() as connection:
            return _incident(connection, id)

    def address(self, id: str, receiver: str) -> Address | None:
        """Where the receiver's message on the incident is."""
        query = select(deliveries.c.address).where(deliveries.c.incident == id, deliveries.c.receiver == receiver)
        with self._engine.connect() as connection:
            text = connection.scalar(query)
        found: Address | None = None if text is None else json.loads(text)["address"]
        return found

    def acknowledge(self, id: str, by: str, now: float, until: float) -> tuple[Acknowledgement | None, bool]:
        """What holds after somebody said that they are on it, and whether that is news: who is on it already changes
        nothing. None where the incident is over."""

        def work(connection: Connection) -> tuple[Acknowledgement | None, bool]:
            incident = _incident(connection, id)
            if incident is None or incident.resolved:
                return None, False
            held = incident.acknowledged
            if held is not None and held.by == by and held.until > now:
                return held, False
            after = acknowledge(incident, by, now, until)
            self._tell(connection, after, Why.ACKNOWLEDGED, "acknowledged", after.acknowledged)
            return after.acknowledged, True

        return self._writer.call(work)

    def silence(self, id: str, by: str, now: float, until: float, comment: str) -> tuple[Silencing | None, bool]:
        """What holds after somebody silenced the incident, and whether that is news: what is silenced as long, or
        longer, stays so. None where the incident is over."""

        def work(connection: Connection) -> tuple[Silencing | None, bool]:
            incident = _incident(connection, id)
            if incident is None or incident.resolved:
                return None, False
            held = incident.silenced
            as_long = held is not None and held.until > until - SAME
            if held is not None and as_long and silences.active(connection, now).issuperset(held.silences):
                return held, False
            made = [Silence(self._new_id(), set_, now, until, by, comment) for set_ in silencing_matchers(incident)]
            for silence in made:
                silences.add(connection, silence, now)
            after = silenced(incident, by, now, until, [silence.id for silence in made])
            self._tell(connection, after, Why.SILENCED, "silenced", after.silenced)
            return after.silenced, True

        return self._writer.call(work)

    def _tell(
        self,
        connection: Connection,
        after: Incident,
        why: Why,
        what: incident_log.What,
        act: Acknowledgement | Silencing | None,
    ) -> None:
        assert act is not None
        states.save_incident(connection, after)
        incident_log.add(connection, after.id, act.at, what, act.by, f"until {stamp(act.until)}")
        outbox.owe(connection, after, why, outbox.notified_receivers(connection, after), act.at)


def _incident(connection: Connection, id: str) -> Incident | None:
    body = connection.scalar(select(incidents.c.body).where(incidents.c.id == id))
    return None if body is None else Incident.from_dict(json.loads(body))
