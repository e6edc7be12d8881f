"""Why a receiver is not told of an incident now: inhibition, then mute times, then silences. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerts.delivery.routing import Inhibition, Labels, Routing, inhibited
from alerts.incidents.incident import KEPT, Alert, Incident
from alerts.incidents.silence import Silence, silenced

LOOK_AGAIN = 15.0
"""Seconds after which inhibition is looked at again: it ends with the alert that it comes from."""


class SuppressionReason(StrEnum):
    """What holds a notification back."""

    INHIBITED = "inhibited"
    MUTE_TIME = "mute_time"
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True)
class Suppression:
    """`until` (wall time) the notification is held back; `text` is what the outbox keeps about it."""

    why: SuppressionReason
    until: float
    text: str


@dataclass(frozen=True)
class Suppressions:
    """What may hold notifications back, as it is at one moment."""

    routing: Routing
    inhibitions: Sequence[Inhibition]
    silences: Sequence[Silence]
    firing: Collection[Labels]
    """The labels of all alerts that fire, of every model."""

    def of(self, incident: Incident, receiver: str, now: float) -> Suppression | None:
        """What holds this incident back from this receiver."""
        judged = _judged(incident)
        free = [alert for alert in judged if not self._inhibited(alert, incident)]
        if judged and not free:
            return Suppression(SuppressionReason.INHIBITED, now + LOOK_AGAIN, "inhibited by another alert")
        until = self.routing.muted_until(incident, receiver, now)
        if until is not None:
            return Suppression(SuppressionReason.MUTE_TIME, until, "in a mute time")
        silence = _silence(free, incident, self.silences, now)
        return (
            None
            if silence is None
            else Suppression(SuppressionReason.SILENCED, silence.ends_at, f"silenced by {silence.id}")
        )

    def _inhibited(self, alert: Alert, incident: Incident) -> bool:
        return inhibited(alert, incident.model, self.inhibitions, self.firing)


def muted(incident: Incident, silences: Iterable[Silence], now: float) -> Silence | None:
    """The silence that mutes the whole incident at `now`: every alert that fires (or, once resolved, fired) is muted.
    Of several the one that ends first, after which it is looked at again."""
    return _silence(_judged(incident), incident, list(silences), now)


def _judged(incident: Incident) -> list[Alert]:
    """The alerts that decide whether the incident is told of; none where it has some that it only counts: those can't
    be judged, and so not be held back."""
    listed = sum(alert.firing for alert in incident.alerts)
    if listed < incident.firing or (incident.resolved and incident.total > len(incident.alerts) >= KEPT):
        return []
    return [alert for alert in incident.alerts if alert.firing or incident.resolved]


def _silence(judged: Sequence[Alert], incident: Incident, silences: Sequence[Silence], now: float) -> Silence | None:
    found = [silenced(alert.silence_labels(incident.model), silences, now) for alert in judged]
    if not found or None in found:
        return None
    return min((silence for silence in found if silence), key=lambda silence: silence.ends_at)
