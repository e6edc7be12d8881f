"""The mark on open incidents that nobody watches: made when a daemon is stopped on purpose, taken away when one starts.

What dies without a word leaves no mark, and no false one: the start after it takes away whatever stands.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from alerts.incidents.actions import unwatched, watched
from alerts.incidents.incident import Incident, Why
from monitor.store.alerts import incident_log, outbox, states

Receivers = Callable[[Connection, Incident], list[str]]
"""Who is to be told of an incident."""


def stop(connection: Connection, now: float, receivers: Receivers) -> int:
    """Marks every open incident at wall time `now`; how many there are."""
    found = [incident for incident in states.open_incidents(connection) if incident.unwatched_since is None]
    for incident in found:
        _tell(connection, unwatched(incident, now), Why.WATCHER_STOPPED, "watcher_stopped", now, receivers)
    return len(found)


def start(connection: Connection, now: float, receivers: Receivers) -> int:
    """Takes the mark away; how many had it."""
    found = [incident for incident in states.open_incidents(connection) if incident.unwatched_since is not None]
    for incident in found:
        _tell(connection, watched(incident), Why.WATCHED_AGAIN, "watched_again", now, receivers)
    return len(found)


def _tell(
    connection: Connection, after: Incident, why: Why, what: incident_log.What, now: float, receivers: Receivers
) -> None:
    states.save_incident(connection, after)
    incident_log.add(connection, after.id, now, what)
    outbox.owe(connection, after, why, receivers(connection, after), now)
