"""Choose which columns an incident's picture shows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from alerts.incidents.incident import Alert, Incident, PictureLink
from checks.base import Window
from checks.pictures.drawn import Drawn
from monitor.store.alerts import pictures

DRIFT = frozenset({"feature_drift", "prediction_drift", "drifted_features"})


SHOWN = 4
"""Columns in one picture."""


TEXT = 600
"""Characters of what a picture shows in words."""


def columns_of(incident: Incident, drawn: Sequence[Drawn]) -> list[Drawn]:
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
