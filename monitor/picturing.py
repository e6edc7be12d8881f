"""Pictures of what moved: which columns an incident's picture shows, and having it drawn in the worker."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from alerts.incident import Alert, Incident, PictureLink
from checks.base import Window
from checks.pictures.drawn import Drawn
from monitor.store import pictures
from monitor.store.writer import Writer
from monitor.work.pictures import draw
from monitor.worker import Worker, WorkerError

log = logging.getLogger("watchkeeper.pictures")

DRIFT = frozenset({"feature_drift", "prediction_drift", "drifted_features"})
SHOWN = 4
"""Columns in one picture."""
TEXT = 600
"""Characters of what a picture shows in words."""


def shown(incident: Incident, drawn: Sequence[Drawn]) -> list[Drawn]:
    """The columns that the incident's drift is about, in the order of its alerts, at most SHOWN; none where it is not
    about drift."""
    found: dict[int, Drawn] = {}
    for alert in incident.alerts:
        if alert.firing and alert.metric in DRIFT:
            found |= {id(one): one for one in drawn if _is_of(alert, one)}
    return list(found.values())[:SHOWN]


def _is_of(alert: Alert, one: Drawn) -> bool:
    if alert.labels.get("segment", "") != one.segment or "over" in alert.labels:
        return False  # a longer window's values are not what is drawn
    if alert.metric == "drifted_features":
        return one.metric == "feature_drift"
    feature = dict(one.labels).get("feature", "")
    return alert.metric == one.metric and alert.labels.get("feature", "") in ("", feature)


def text(columns: Sequence[Drawn]) -> str:
    """What the picture shows, in words: the sentences of what moved."""
    lines = (f"{one.segment}: {_said(one)}" if one.segment else _said(one) for one in columns)
    told = " ".join(f"{line}." for line in lines)
    return told if len(told) <= TEXT else told[: TEXT - 1] + "…"


def _said(one: Drawn) -> str:
    return f"{one.distribution.name}: {one.distribution.why or 'reference and now'}"


def add(
    connection: Connection, incident: Incident, columns: Sequence[Drawn], window: Window, id: str, now: float
) -> PictureLink:
    """Stores what is to be drawn, in the transaction that tells the incident."""
    link = PictureLink(id, text(columns), window.start, window.end)
    pictures.add(connection, incident, link, columns, now)
    return link


@dataclass
class Picturing:
    """Has one model's pictures drawn: soon after the window that they show, and after a restart those that are owed."""

    model: str
    url: str
    writer: Writer
    worker: Worker
    _owed: bool = field(default=True, init=False)

    def owe(self) -> None:
        """Something is to be drawn."""
        self._owed = True

    def run(self) -> int:
        """Draws what is owed; returns how many. A picture that can't be drawn after some tries is left out: nothing
        waits for it."""
        if not self._owed:
            return 0
        ids = self.writer.call(lambda connection: pictures.begin(connection, self.model))
        self._owed = False
        if not ids:
            return 0
        try:
            return self.worker.run(draw, self.url, ids)
        except WorkerError as error:
            self._owed = True
            log.warning("%s: the picture of an incident was not drawn: %s: %s", self.model, error.kind, error)
            return 0
