"""Accepted batches: into the arrival log, once a key, acknowledged after the commit."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.sql import Executable

from monitor.clock import Clock
from monitor.ingest.rejection import Parsed
from monitor.store.tables import arrivals, chunks, idempotency, labels
from monitor.store.writer import Writer

Kind = Literal["predictions", "labels"]
CODEC = "msgpack-columns/1"
ROW_BYTES = 200
"""What an arrival takes beside its payload, for the queue's bound."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender of a batch is told, after its commit."""

    reply: bytes
    """JSON."""
    repeated: bool = False
    """True when this is the first reply to the same key once more, and nothing was stored."""
    differs: bool = False
    """True when the key was used for another body before, and nothing was stored."""


class _Stored(msgspec.Struct):
    """What the reply column holds: the reply, and the digest of what was answered with it."""

    digest: str
    reply: msgspec.Raw


class _Prepared:
    """A statement compiled once; its parameters are handed to the driver as they are."""

    def __init__(self, statement: Executable, engine: Engine) -> None:
        compiled = statement.compile(dialect=engine.dialect)  # type: ignore[attr-defined]
        self._sql = str(compiled)
        self._order: list[str] | None = compiled.positiontup if compiled.positional else None

    def run(self, connection: Connection, values: dict[str, Any]) -> None:
        given: Any = values if self._order is None else tuple(values[name] for name in self._order)
        connection.exec_driver_sql(self._sql, given)


class EventStore:
    """Writes batches through the writer, where those that wait together share one transaction."""

    def __init__(self, writer: Writer, engine: Engine, clock: Clock) -> None:
        self._writer, self._engine, self._clock = writer, engine, clock
        columns = [column.name for column in arrivals.columns if column is not arrivals.c.seq]
        self._insert = _Prepared(insert(arrivals).values(dict.fromkeys(columns)), engine)
        self._lock = threading.Lock()
        self._newest: dict[tuple[str, str], float | None] = {}

    def submit(
        self, model: str, kind: Kind, parsed: Parsed, key: str | None = None, digest: str = ""
    ) -> Future[Receipt]:
        """Queues a batch; the future holds what to reply once it is on disk.

        The same key (an Idempotency-Key of this model and kind) again is answered as before and stored no second time,
        unless the `digest` of its body is another: then the receipt says so. Raises monitor.store.writer.QueueFull over
        the queue's bound.
        """
        reply = msgspec.json.encode(parsed.reply())
        received = self._clock.time()
        size = len(parsed.payload) + ROW_BYTES

        def work(connection: Connection) -> Receipt:
            if key is not None:
                if (known := _known(connection, model, kind, key)) is not None:
                    return _again(known, digest)
                connection.execute(
                    insert(idempotency).values(
                        model=model,
                        key=key,
                        kind=kind,
                        received_at=received,
                        reply=msgspec.json.encode(_Stored(digest, msgspec.Raw(reply))).decode(),
                    )
                )
            if parsed.n:
                self._insert.run(
                    connection,
                    {
                        "model": model,
                        "kind": kind,
                        "received_at": received,
                        "t_min": parsed.t_min,
                        "t_max": parsed.t_max,
                        "n": parsed.n,
                        "codec": CODEC,
                        "payload": parsed.payload,
                    },
                )
                self._newest[(model, kind)] = received
            return Receipt(reply)

        return self._writer.submit(work, size)

    def probe(self) -> Future[None]:
        """Writes something and takes it back: fails as a batch would."""

        def work(connection: Connection) -> None:
            mine = (idempotency.c.model == "") & (idempotency.c.key == "") & (idempotency.c.kind == "probe")
            connection.execute(delete(idempotency).where(mine))
            connection.execute(
                insert(idempotency).values(model="", key="", kind="probe", received_at=self._clock.time(), reply="")
            )
            connection.execute(delete(idempotency).where(mine))

        return self._writer.submit(work)

    def newest_received(self, model: str, kind: str) -> float | None:
        """When the newest accepted batch came, epoch seconds; None when there never was one."""
        place = (model, kind)
        if place not in self._newest:
            found = self._stored_newest(model, kind)
            with self._lock:
                self._newest.setdefault(place, found)
        return self._newest[place]

    def _stored_newest(self, model: str, kind: str) -> float | None:
        settled = chunks if kind == "predictions" else labels
        with self._engine.connect() as connection:
            found = [
                connection.scalar(
                    select(func.max(arrivals.c.received_at)).where(arrivals.c.model == model, arrivals.c.kind == kind)
                ),
                connection.scalar(select(func.max(settled.c.received_at)).where(settled.c.model == model)),
            ]
        return max((time for time in found if time is not None), default=None)


def _known(connection: Connection, model: str, kind: Kind, key: str) -> str | None:
    query = select(idempotency.c.reply).where(
        idempotency.c.model == model, idempotency.c.key == key, idempotency.c.kind == kind
    )
    return connection.scalar(query)


def _again(known: str, digest: str) -> Receipt:
    try:
        stored = msgspec.json.decode(known, type=_Stored)
    except msgspec.ValidationError:
        return Receipt(known.encode(), repeated=True)  # before digests were kept: the reply alone
    if stored.digest != digest:
        return Receipt(b"", differs=True)
    return Receipt(bytes(stored.reply), repeated=True)
