"""Profiles that wait to be made or rolled up: worked off in small portions, between the closings of a model."""

from __future__ import annotations

import logging
from collections.abc import Callable

from monitor.pipeline.parts import Parts
from monitor.worker import tasks
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import WorkerError
from monitor.worker.turns import Urgency

log = logging.getLogger("watchkeeper.upkeep")

PORTION_SECONDS = 0.5
"""About how long one portion takes: other models' closings wait for it."""
RETRY_SECONDS = 60.0
"""How long after a failure it is tried again where no window closes: its error must not outlive its cause."""
TURN_SECONDS = 5.0
"""How long portions follow one another before the model's next tick has its turn."""


class Upkeep:
    """One model's. Nothing that is measured depends on how far it has come, but for trailing windows, which have no
    value until their rows are profiled."""

    def __init__(self, options: ModelOptions, parts: Parts) -> None:
        self._options, self._parts = options, parts
        self.due = False
        """Whether there is something to do although no window has closed."""
        self._failed_at: float | None = None

    def run(self, judged: int, is_urgent: Callable[[], bool]) -> None:
        """Does what there is to do after a tick that judged so many windows, until that is done, a turn is over or
        something is urgent. A failure is reported, and tried again at the next closing or soon after: no check fails
        for it."""
        again = self._failed_at is not None and self._parts.clock.monotonic() - self._failed_at >= RETRY_SECONDS
        if not judged and not self.due and not again:
            return
        until = self._parts.clock.monotonic() + TURN_SECONDS
        try:
            while self._portion() and self._parts.clock.monotonic() < until and not is_urgent():
                pass
        except WorkerError as error:
            self.due, self._failed_at = False, self._parts.clock.monotonic()
            self._parts.health.report(self._part, f"{error.kind}: {error}")
            log.warning("%s: profiles can't be kept up: %s", self._options.model, error)
        else:
            self._failed_at = None
            self._parts.health.report(self._part, None)

    @property
    def _part(self) -> str:
        return f"profiles of {self._options.model}"

    def _portion(self) -> bool:
        """Does a portion; whether there is more to do."""
        model = self._options.model
        done = self._parts.worker.run(
            tasks.keep_profiles, self._parts.url, model, PORTION_SECONDS, self._options, urgency=Urgency.UPKEEP
        )
        self._parts.meters.chunks_unprofiled.labels(model=model).set(done.waiting)
        self.due = done.waiting > 0
        if done.profiled and not done.waiting:
            log.info("%s: what was stored before the newest reference is profiled under it", model)
        return self.due
