"""Measuring closings, as the daemon names it. It only passes these on, so what needs numerics is imported inside."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.work.closing import Closing, ModelOptions, Verdict


def measure(url: str, model: str, closing: Closing, options: ModelOptions) -> Verdict:
    """What the closing of one window finds, as of its position in the arrival log."""
    return measure_many(url, model, [closing], options)[0]


def measure_many(url: str, model: str, closings: Sequence[Closing], options: ModelOptions) -> list[Verdict]:
    """What consecutive closings find, each as of its own position, as if the verdict of each had been recorded before
    the next. The log must be compacted up to the last; raises NotCompacted else."""
    from monitor.clock import SystemClock
    from monitor.store.engine import kept_engine
    from monitor.work.verdicts import Verdicts

    engine = kept_engine(url)
    try:
        verdicts = Verdicts(engine, model, closings[-1], options, SystemClock()) if closings else None
        return [verdicts.of(closing) for closing in closings] if verdicts else []
    finally:
        engine.dispose()
