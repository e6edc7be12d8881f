"""How far incidents' pictures have come on their way to a receiver, as rows."""

from __future__ import annotations

import json

from sqlalchemy import Connection, Engine, and_, delete, insert, or_, select

from alerts.notify.pictures import OwedPicture
from monitor.store.tables import deliveries, picture_images, picture_sends, pictures
from monitor.store.writer import Writer

OLDEST = 86400.0
"""Seconds after which a picture that was never sent is no news any more."""
_KEPT = ("state", "file", "due_at", "tries", "tried_at", "error")


class PictureDeliveries:
    """What `alerts.delivery.pictures` needs. A picture is owed once it is drawn and its incident's message is there."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine, self._writer = engine, writer

    def owed(self, receiver: str, now: float) -> OwedPicture | None:
        sends = picture_sends
        started = and_(sends.c.incident == pictures.c.incident, sends.c.receiver == receiver)
        open_ = and_(sends.c.state.in_(("owed", "uploaded")), sends.c.due_at <= now)
        # Labelled, since a picture has tries of its own.
        kept = [sends.c[name].label(f"send_{name}") for name in _KEPT]
        query = (
            select(pictures, picture_images.c.payload, deliveries.c.address, *kept)
            .join(deliveries, and_(deliveries.c.incident == pictures.c.incident, deliveries.c.receiver == receiver))
            .join(picture_images, and_(picture_images.c.picture == pictures.c.id, picture_images.c.format == "png"))
            .outerjoin(sends, started)
            .where(pictures.c.done == 1, pictures.c.created_at > now - OLDEST)
            .where(or_(sends.c.state.is_(None), open_))
            .order_by(pictures.c.created_at)
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        known = {} if row.send_state is None else {name: getattr(row, f"send_{name}") for name in _KEPT}
        address = json.loads(row.address)["address"]
        name = f"{row.model or 'host'}-{row.id[:8]}.png"
        return OwedPicture(row.incident, receiver, name, row.title, row.text, row.payload, address, **known)

    def keep(self, owed: OwedPicture) -> None:
        values = {"incident": owed.incident, "receiver": owed.receiver}
        here = (picture_sends.c.incident == owed.incident, picture_sends.c.receiver == owed.receiver)

        def work(connection: Connection) -> None:
            connection.execute(delete(picture_sends).where(*here))
            connection.execute(insert(picture_sends).values(**values, **{name: getattr(owed, name) for name in _KEPT}))

        self._writer.call(work)
