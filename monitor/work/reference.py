"""Building a reference, as the daemon names it. It only passes this function on; the numerics are imported inside."""

from __future__ import annotations

from collections.abc import Callable

from monitor.work.closing import BuiltReference, ModelOptions


def build(
    url: str, path: str, options: ModelOptions, progress: Callable[[float], None] | None = None
) -> BuiltReference:
    """Stores the reference that this file (Parquet, CSV or Arrow) makes, unless it is the model's newest already.
    `progress` is told the share that is done. Raises SchemaError with one sentence when the file does not do."""
    from monitor.clock import SystemClock
    from monitor.store.engine import open_engine
    from monitor.work.references import store

    engine = open_engine(url)
    try:
        return store(engine, path, options, SystemClock().time(), progress)
    finally:
        engine.dispose()
