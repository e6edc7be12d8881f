"""What the worker does for profiles between two closings, as the daemon names it. It only passes `keep` on, so what
needs numerics is imported inside."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.work.closing import ModelOptions


@dataclass(frozen=True, slots=True)
class Kept:
    """What one portion of upkeep did."""

    profiled: int = 0
    """Chunks profiled under the newest binning."""
    waiting: int = 0
    """Chunks that are still to be."""
    rolled: int = 0
    """Roll-ups made."""


def keep(url: str, model: str, seconds: float, options: ModelOptions) -> Kept:
    """Profiles chunks that came before the model's newest binning, newest first, for about so many seconds, and rolls
    up what has been judged. Cut short anywhere it can simply be called again."""
    from monitor.clock import SystemClock
    from monitor.store.engine import kept_engine
    from monitor.work.reprofiling import reprofile
    from monitor.work.rolling import roll

    engine = kept_engine(url)
    try:
        profiled, waiting = reprofile(engine, model, options, seconds, SystemClock().monotonic)
        return Kept(profiled, waiting, roll(engine, model, options))
    finally:
        engine.dispose()
