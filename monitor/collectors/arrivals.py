"""Sample how old the newest predictions and labels of a model are."""

from __future__ import annotations

from checks.base import Measurement, NotEnough, Window
from monitor.store.events import EventStore
from monitor.telemetry.health import Health

STEP = 5.0
"""Seconds by which the wall clock may move against the monotonic one between two samples before it counts as set."""


class ArrivalAges:
    """How long ago a prediction and a label were last received: what tells 'no traffic' from 'all is well'.

    Time in which none could be received, because Watchkeeper was down or could not store, is not counted; nor is time
    that the machine's clock skipped when it was set.
    """

    name = "arrivals"
    metrics = frozenset({"prediction_age_seconds", "label_age_seconds"})

    def __init__(self, model: str, events: EventStore, health: Health) -> None:
        self._model, self._events, self._health = model, events, health
        self._served_since: float | None = None
        self._offset: float | None = None

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        before, self._offset = self._offset, now - monotonic
        stepped = before is not None and abs(self._offset - before) > STEP
        if self._served_since is None or stepped or self._health.not_ready():
            self._served_since = now
        return [
            self._age("prediction_age_seconds", "predictions", now, self._served_since),
            self._age("label_age_seconds", "labels", now, self._served_since),
        ]

    def _age(self, name: str, kind: str, now: float, served_since: float) -> Measurement:
        window = Window(now, now)
        newest = self._events.newest_received(self._model, kind)
        if newest is None:
            return Measurement(name, None, window, reason=NotEnough.NO_ROWS)
        # One from the future came before the clock was set back; when is not known.
        since = served_since if newest > now else max(newest, served_since)
        return Measurement(name, max(0.0, now - since), window)
