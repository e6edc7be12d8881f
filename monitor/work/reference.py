"""Building a reference, as the daemon names it. It only passes this function on; the numerics are imported inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.work.closing import BuiltReference, ModelOptions


def build(
    url: str, path: str, options: ModelOptions, progress: Callable[[float], None] | None = None
) -> BuiltReference:
    """Stores the reference that this file (Parquet, CSV or Arrow) makes, unless it is the model's newest already.
    `progress` is told the share that is done. Raises SchemaError with one sentence when the file does not do."""
    from monitor.clock import SystemClock
    from monitor.store.engine import open_engine
    from monitor.work.freezing import freeze_with
    from monitor.work.references import of_file, read_table, store
    from monitor.work.segments import check, missing, stored_cost

    engine = open_engine(url)
    try:
        built = store(engine, path, options, SystemClock().time(), progress)
        if not options.segments:
            return built
        with engine.connect() as connection:
            reference = of_file(connection, options.model)
            wanted = reference is not None and missing(connection, reference, options)
        assert reference is not None, "one has just been stored"
        check(options, reference.reference.schema)
        if wanted:
            freeze_with(engine, reference, read_table(path), options)
        with engine.connect() as connection:
            notes = stored_cost(connection, reference, options)
        return replace(built, notes=tuple(notes))
    finally:
        engine.dispose()
