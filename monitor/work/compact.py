"""Compaction, as the daemon names it. It only passes this function on, so what needs numerics is imported inside."""

from __future__ import annotations

from monitor.work.closing import Compacted, ModelOptions


def compact(url: str, model: str, upto_seq: int, options: ModelOptions) -> Compacted:
    """Turns a model's arrivals up to `upto_seq`, but no further than the daemon has scanned, into chunks and placed
    labels. Cut short anywhere it can simply be called again. Raises DamagedBatch."""
    from monitor.store.engine import kept_engine
    from monitor.work.compaction import Compaction

    engine = kept_engine(url)
    try:
        return Compaction(engine, model, options).run(upto_seq)
    finally:
        engine.dispose()
