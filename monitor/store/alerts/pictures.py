"""Pictures as rows: what is to be drawn, written with the incident that they tell of, and their images."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, delete, insert, select, update

from alerts.incidents.incident import Incident, PictureLink
from checks.pictures.drawn import Drawn
from monitor.store.alerts.states import dump
from monitor.store.engine import writing
from monitor.store.tables import picture_images, pictures

KEPT = 200
"""Pictures of one model; of more the oldest go."""
TRIES = 3
"""After so many a picture is not drawn any more."""


def add(connection: Connection, incident: Incident, link: PictureLink, columns: Sequence[Drawn], now: float) -> None:
    """Owes the drawing of an incident's picture, and removes the model's oldest beyond KEPT."""
    model = incident.model
    newest = select(pictures.c.id).where(pictures.c.model == model).order_by(pictures.c.created_at.desc())
    gone = list(connection.scalars(newest.offset(KEPT - 1)))
    connection.execute(delete(picture_images).where(picture_images.c.picture.in_(gone)))
    connection.execute(delete(pictures).where(pictures.c.id.in_(gone)))
    connection.execute(
        insert(pictures).values(
            id=link.id,
            model=model,
            incident=incident.id,
            window_start=link.start,
            window_end=link.end,
            created_at=now,
            title=incident.title,
            text=link.text,
            drawn=dump([one.to_dict() for one in columns]),
            tries=0,
            done=0,
        )
    )


def begin(connection: Connection, model: str, limit: int = 8) -> list[str]:
    """The model's pictures that are to be drawn, oldest first; one more try of each is counted."""
    here = (pictures.c.model == model, pictures.c.done == 0, pictures.c.tries < TRIES)
    ids = list(connection.scalars(select(pictures.c.id).where(*here).order_by(pictures.c.created_at).limit(limit)))
    if ids:
        connection.execute(update(pictures).where(pictures.c.id.in_(ids)).values(tries=pictures.c.tries + 1))
    return ids


def columns(engine: Engine, id: str) -> tuple[str, list[Drawn]]:
    """What a picture is to show, under which title; nothing where there is no such picture any more."""
    with engine.connect() as connection:
        row = connection.execute(select(pictures.c.title, pictures.c.drawn).where(pictures.c.id == id)).one_or_none()
    return ("", []) if row is None else (row.title, [Drawn.from_dict(one) for one in json.loads(row.drawn)])


def keep(engine: Engine, id: str, images: dict[str, bytes]) -> None:
    """Stores a picture's images, by format, unless it has been removed meanwhile."""
    rows = [{"picture": id, "format": name, "payload": data} for name, data in images.items()]
    with writing(engine).begin() as connection:
        connection.execute(delete(picture_images).where(picture_images.c.picture == id))
        if connection.execute(update(pictures).where(pictures.c.id == id).values(done=1)).rowcount:
            connection.execute(insert(picture_images), rows)


def image(engine: Engine, id: str, kind: str) -> bytes | None:
    """One image of a picture; None where there is none (yet)."""
    here = (picture_images.c.picture == id, picture_images.c.format == kind)
    with engine.connect() as connection:
        return connection.scalar(select(picture_images.c.payload).where(*here))


def kept(engine: Engine, ids: Iterable[str]) -> set[str]:
    """Those of these pictures that are there, drawn."""
    with engine.connect() as connection:
        found = select(pictures.c.id).where(pictures.c.id.in_(list(ids)), pictures.c.done == 1)
        return set(connection.scalars(found))
