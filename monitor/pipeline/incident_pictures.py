"""Pictures of what moved: which columns an incident's picture shows, and having it drawn in the worker."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from monitor.pipeline.parts import Parts
from monitor.store.alerts import pictures
from monitor.worker.pool import WorkerError
from monitor.worker.tasks import draw_pictures
from monitor.worker.turns import Urgency

log = logging.getLogger("watchkeeper.pictures")


@dataclass
class PictureDrawing:
    """Has one model's pictures drawn: soon after the window that they show, and after a restart those that are owed."""

    model: str
    parts: Parts
    _owed: bool = field(default=True, init=False)

    def owe(self) -> None:
        """Something is to be drawn."""
        self._owed = True

    def run(self) -> int:
        """Draws what is owed; returns how many. A picture that can't be drawn after some tries is left out: nothing
        waits for it."""
        if not self._owed:
            return 0
        ids = self.parts.writer.call(lambda connection: pictures.begin(connection, self.model))
        self._owed = False
        if not ids:
            return 0
        try:
            return self.parts.worker.run(draw_pictures, self.parts.url, ids, urgency=Urgency.PAGE)
        except WorkerError as error:
            self._owed = True
            log.warning("%s: the picture of an incident was not drawn: %s: %s", self.model, error.kind, error)
            return 0
