"""Profiles raw rows under a binning that came after them: the model's first reference, or one with other bins."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Engine, select, update

from monitor.store.engine import writing
from monitor.store.tables import progress
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.chunks import DamagedBatch
from monitor.worker.stored.profiles import ALL_TIME, Profiles
from monitor.worker.stored.references import in_force

log = logging.getLogger("watchkeeper.reprofiling")


def reprofile(
    engine: Engine, model: str, options: ModelOptions, seconds: float, monotonic: Callable[[], float]
) -> tuple[int, int]:
    """Profiles what has no profile under the binnings in force, the last to arrive first, at least one chunk and then
    for so many seconds; returns how many were profiled and how many wait. One that can't be read is logged and left."""
    with engine.connect() as connection:
        references = in_force(connection, model)
        compacted = connection.scalar(select(progress.c.compacted_seq).where(progress.c.model == model))
    if not references or compacted is None:
        return 0, 0
    stores = [Profiles(engine, model, options.every, reference) for reference in references]
    waiting = [(store, id_) for store in stores for id_ in store.missing(ALL_TIME, compacted)]
    waiting.sort(key=lambda item: item[1])
    until = monotonic() + seconds
    done, unreadable = 0, 0
    while waiting and (not done or monotonic() < until):
        store, id_ = waiting.pop()
        try:
            done += store.make(id_) is not None
        except DamagedBatch as error:
            unreadable += 1
            log.error("%s: chunk %d can't be profiled: %s", model, id_, error)
    with writing(engine).begin() as connection:
        here = progress.c.model == model
        connection.execute(update(progress).where(here).values(unprofiled=len(waiting) + unreadable))
    return done, len(waiting)
