"""The outbox as rows: owed inside the transaction that judges, ended in the one that records the message's address."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, not_, or_, select, update

from alerts.delivery.outbox import Delivered, DeliveryOutcome, Owed, ReceiverState
from alerts.incidents.incident import Incident, LastNotified, Why
from alerts.rules.rule import Severity
from monitor.store.alerts.states import dump
from monitor.store.tables import deliveries, incidents, lines, outbox

_WHOLE = (
    select(outbox, incidents.c.body, deliveries.c.address)
    .join(incidents, incidents.c.id == outbox.c.incident)
    .outerjoin(deliveries, and_(deliveries.c.incident == outbox.c.incident, deliveries.c.receiver == outbox.c.receiver))
)
"""A row with what is needed to deliver it."""
_FREE: dict[str, Any] = {"claimed_by": None, "claimed_until": None}
QUIET_SECONDS = 30.0
"""How long a change that nobody needs to see at once waits for others like it."""
NEWS_SECONDS = 600.0
"""Between two posts about new alerts of one incident: three hundred features that drift one by one are one post."""
_NEWS = [Why.FIRST.value, Why.NEW_ALERTS.value, Why.SEVERITY_ROSE.value, Why.REPEATED.value]


def owe(
    connection: Connection, incident: Incident, why: Why, receivers: Iterable[str], now: float, *, at_once: bool = False
) -> None:
    """One unfinished row a receiver, due at `now` (wall time), or a little later where a value only got worse: a row
    still waiting is collapsed into it. The receiver is told of the incident as it is when the row's turn comes, so
    nothing is lost by that."""
    for receiver in receivers:
        waiting = and_(outbox.c.incident == incident.id, outbox.c.receiver == receiver, outbox.c.outcome.is_(None))
        older = connection.execute(select(outbox).where(waiting).order_by(outbox.c.id.desc())).first()
        due_at, given = now + QUIET_SECONDS if why is Why.UPDATED and not at_once else now, why
        if older is not None:
            due_at = min(due_at, max(older.due_at, now))
            given = max(why, Why(older.reason), key=lambda reason: reason.rank)
            connection.execute(
                update(outbox).where(waiting).values(outcome=DeliveryOutcome.COLLAPSED.value, finished_at=now)
            )
        if given is Why.NEW_ALERTS and why in (Why.NEW_ALERTS, Why.UPDATED):
            due_at = max(due_at, _last_news(connection, incident, receiver) + NEWS_SECONDS)
        connection.execute(
            insert(outbox).values(
                incident=incident.id,
                receiver=receiver,
                reason=given.value,
                version=incident.version,
                created_at=now,
                due_at=due_at,
                attempts=older.attempts if older is not None else 0,
                tried_at=older.tried_at if older is not None else None,
                # Who sends the older one now is to be done first.
                claimed_by=older.claimed_by if older is not None else None,
                claimed_until=older.claimed_until if older is not None else None,
                error="",
            )
        )


def _last_news(connection: Connection, incident: Incident, receiver: str) -> float:
    """When the receiver last heard news of the incident (wall time); long ago if never."""
    here = (outbox.c.incident == incident.id, outbox.c.receiver == receiver, outbox.c.reason.in_(_NEWS))
    query = select(func.max(outbox.c.finished_at)).where(*here, outbox.c.outcome == DeliveryOutcome.SENT.value)
    return connection.scalar(query) or 0.0


def never_owed(connection: Connection, incident: Incident, receiver: str) -> bool:
    """Whether this receiver was never to be told of the incident, such as one configured after it opened."""
    query = select(func.count()).where(outbox.c.incident == incident.id, outbox.c.receiver == receiver)
    return connection.scalar(query) == 0


def notified_receivers(connection: Connection, incident: Incident) -> list[str]:
    """Everyone who was ever to be told of the incident: they are to hear of its end, whatever routes say by then."""
    query = select(outbox.c.receiver).where(outbox.c.incident == incident.id).distinct().order_by(outbox.c.receiver)
    return list(connection.scalars(query))


def last_sent(connection: Connection, incident: Incident) -> dict[str, float]:
    """When each receiver was last told of the incident (wall time)."""
    query = (
        select(outbox.c.receiver, func.max(outbox.c.finished_at).label("at"))
        .where(outbox.c.incident == incident.id, outbox.c.outcome == DeliveryOutcome.SENT.value)
        .group_by(outbox.c.receiver)
    )
    return {row.receiver: row.at for row in connection.execute(query)}


def is_owed(connection: Connection, incident: Incident, receiver: str) -> bool:
    """Whether something of the incident is still to be told this receiver."""
    here = (outbox.c.incident == incident.id, outbox.c.receiver == receiver, outbox.c.outcome.is_(None))
    return bool(connection.scalar(select(func.count()).where(*here)))


def load_lines(connection: Connection) -> dict[str, ReceiverState]:
    """What is remembered of each receiver's line."""
    return {
        row.receiver: ReceiverState(row.not_before, row.failures, row.problem)
        for row in connection.execute(select(lines))
    }


def keep_line(connection: Connection, receiver: str, line: ReceiverState, now: float) -> None:
    """Remembers a receiver's line; one that is well is forgotten."""
    connection.execute(delete(lines).where(lines.c.receiver == receiver))
    if line != ReceiverState():
        values = {"not_before": line.not_before, "failures": line.failures, "problem": line.problem}
        connection.execute(insert(lines).values(receiver=receiver, updated_at=now, **values))


def owed(connection: Connection, receiver: str, now: float, limit: int) -> list[Owed]:
    """Return rows due at wall time `now`: those tried least first, so that none that fails stands before others, and
    then the oldest. A row made in what is now the future (the clock went back) is due."""
    due = or_(outbox.c.due_at <= now, outbox.c.created_at > now)
    query = _WHOLE.where(outbox.c.outcome.is_(None), outbox.c.receiver == receiver, due)
    return [_owed(row) for row in connection.execute(query.order_by(outbox.c.attempts, outbox.c.id).limit(limit))]


def claim(connection: Connection, id: int, owner: str, now: float, until: float, begin: bool) -> Owed | None:
    """Takes an unfinished row for one owner, and returns it as it was; None while it is another's. A claim that lasts
    longer than this one would was made by a clock that has gone back since, and does not hold."""
    others = and_(outbox.c.claimed_by != owner, outbox.c.claimed_until > now, outbox.c.claimed_until <= until)
    free = and_(outbox.c.id == id, outbox.c.outcome.is_(None), or_(outbox.c.claimed_by.is_(None), not_(others)))
    row = connection.execute(_WHOLE.where(free)).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = {"claimed_by": owner, "claimed_until": until}
    if begin and row.tried_at is None:
        values["tried_at"] = now
    taken = connection.execute(update(outbox).where(free).values(values))
    return _owed(row) if taken.rowcount else None


def _owed(row: Row[Any]) -> Owed:
    seen, address = None, None
    if row.address is not None:
        message = json.loads(row.address)
        address = message["address"]
        seen = LastNotified(**{**message["seen"], "severity": Severity(message["seen"]["severity"])})
    incident = Incident.from_dict(json.loads(row.body))
    reason = Why(row.reason)
    values = (row.id, row.receiver, row.attempts, row.due_at, incident, seen, address, reason, row.error, row.tried_at)
    return Owed(*values)


def finish(connection: Connection, id: int, outcome: DeliveryOutcome, now: float, delivered: Delivered | None) -> None:
    """Ends a row; what was delivered overrides its having been collapsed meanwhile."""
    values = {"outcome": outcome.value, "finished_at": now, "error": ""}
    row = update(outbox).where(outbox.c.id == id)
    if delivered is None:
        connection.execute(row.where(outbox.c.outcome.is_(None)).values(values))
        return
    connection.execute(row.values(values))
    waiting = and_(outbox.c.incident == delivered.incident, outbox.c.receiver == delivered.receiver)
    connection.execute(update(outbox).where(waiting, outbox.c.outcome.is_(None)).values(_FREE))
    here = and_(deliveries.c.incident == delivered.incident, deliveries.c.receiver == delivered.receiver)
    connection.execute(delete(deliveries).where(here))
    connection.execute(
        insert(deliveries).values(
            incident=delivered.incident,
            receiver=delivered.receiver,
            version=delivered.seen.version,
            address=dump({"address": dict(delivered.address), "seen": asdict(delivered.seen)}),
        )
    )


def postpone(connection: Connection, id: int, due_at: float, why: str, attempted: bool, unsure: bool) -> None:
    """Puts a row off; unless `unsure`, a send that was made of it did not arrive."""
    values: dict[str, Any] = {"due_at": due_at, "error": why, "attempts": outbox.c.attempts + int(attempted), **_FREE}
    if attempted and not unsure:
        values["tried_at"] = None
    connection.execute(update(outbox).where(outbox.c.id == id, outbox.c.outcome.is_(None)).values(values))


def hasten(connection: Connection, why: str, now: float) -> None:
    """Makes rows that were postponed for this reason due."""
    connection.execute(
        update(outbox).where(outbox.c.outcome.is_(None), outbox.c.error == why).values(due_at=now, error="")
    )


def pending(connection: Connection) -> dict[str, int]:
    """Unfinished rows by receiver."""
    query = select(outbox.c.receiver, func.count()).where(outbox.c.outcome.is_(None)).group_by(outbox.c.receiver)
    return {row[0]: row[1] for row in connection.execute(query)}
