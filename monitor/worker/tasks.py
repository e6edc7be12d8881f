"""Measuring closings, as the daemon names it. It only passes these on, so what needs numerics is imported inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.worker.evidently.messages import ReportOutcome, ReportTask
from monitor.worker.messages import (
    BuiltReference,
    CompactionResult,
    ModelOptions,
    UpkeepResult,
    WindowClose,
    WindowResult,
)


def measure(url: str, model: str, closing: WindowClose, options: ModelOptions) -> WindowResult:
    """What the closing of one window finds, as of its position in the arrival log."""
    return measure_many(url, model, [closing], options)[0]


def measure_many(url: str, model: str, closings: Sequence[WindowClose], options: ModelOptions) -> list[WindowResult]:
    """What consecutive closings find, each as of its own position, as if the verdict of each had been recorded before
    the next. The log must be compacted up to the last; raises NotCompacted else."""
    from monitor.clock import SystemClock
    from monitor.store.engine import kept_engine
    from monitor.worker.evaluate.closing import WindowEvaluator

    engine = kept_engine(url)
    try:
        verdicts = WindowEvaluator(engine, model, closings[-1], options, SystemClock()) if closings else None
        return [verdicts.of(closing) for closing in closings] if verdicts else []
    finally:
        engine.dispose()


def compact(url: str, model: str, upto_seq: int, options: ModelOptions) -> CompactionResult:
    """Turns a model's arrivals up to `upto_seq`, but no further than the daemon has scanned, into chunks and placed
    labels. Cut short anywhere it can simply be called again. Raises DamagedBatch."""
    from monitor.store.engine import kept_engine
    from monitor.worker.compaction.compaction import Compaction

    engine = kept_engine(url)
    try:
        return Compaction(engine, model, options).run(upto_seq)
    finally:
        engine.dispose()


def build_reference(
    url: str, path: str, options: ModelOptions, progress: Callable[[float], None] | None = None
) -> BuiltReference:
    """Stores the reference that this file (Parquet, CSV or Arrow) makes, unless it is the model's newest already.
    `progress` is told the share that is done. Raises SchemaError with one sentence when the file does not do."""
    from monitor.clock import SystemClock
    from monitor.store.engine import open_engine
    from monitor.worker.references.segments import freeze_with
    from monitor.worker.stored.references import of_file, read_table, store
    from monitor.worker.stored.segments import check, missing, stored_cost

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


def keep_profiles(url: str, model: str, seconds: float, options: ModelOptions) -> UpkeepResult:
    """Profiles chunks that came before the model's newest binning, newest first, for about so many seconds, and rolls
    up what has been judged. Cut short anywhere it can simply be called again."""
    from monitor.clock import SystemClock
    from monitor.store.engine import kept_engine
    from monitor.worker.upkeep.backfill import reprofile
    from monitor.worker.upkeep.rollup import roll

    engine = kept_engine(url)
    try:
        profiled, waiting = reprofile(engine, model, options, seconds, SystemClock().monotonic)
        return UpkeepResult(profiled, waiting, roll(engine, model, options))
    finally:
        engine.dispose()


MOST_BYTES = 200_000
"""Of one image; a picture that is larger all the same is an error."""


class PictureTooLarge(Exception):
    """An image is beyond its bound."""


def draw_pictures(url: str, ids: Sequence[str]) -> int:
    """Draws these pictures as SVG and PNG and stores them; returns how many. Raises TooLarge."""
    from checks.pictures.png import picture
    from checks.pictures.sheet import sheet
    from monitor.store.alerts import pictures
    from monitor.store.engine import open_engine

    engine, drawn = open_engine(url), 0
    try:
        for id in ids:
            title, columns = pictures.columns(engine, id)
            if not columns:
                continue
            shown = [one.distribution for one in columns]
            images = {"svg": sheet(shown).encode(), "png": picture(shown, title)}
            if (largest := max(map(len, images.values()))) > MOST_BYTES:
                raise PictureTooLarge(f"an image of {largest} bytes is over the bound of {MOST_BYTES}")
            pictures.keep(engine, id, images)
            drawn += 1
        return drawn
    finally:
        engine.dispose()


def make_report(url: str, model: str, task: ReportTask, options: ModelOptions) -> ReportOutcome:
    """Runs Evidently over a sample of the window; its HTML is stored here, and only its number travels. Raises what
    Evidently raises, unless the fault is that of some columns: these are measurements of their own, without a value."""
    from monitor.clock import SystemClock
    from monitor.store.engine import open_engine
    from monitor.worker.evidently.report import run

    engine = open_engine(url)
    try:
        return run(engine, model, task, options, SystemClock())
    finally:
        engine.dispose()
