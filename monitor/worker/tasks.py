"""All tasks that the daemon gives to its worker, by name. The daemon only passes them on, so each imports what it needs
inside: nothing numeric may reach the daemon."""

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
    """Return what the closing of one window finds, as of its position in the arrival log."""
    return measure_many(url, model, [closing], options)[0]


def measure_many(url: str, model: str, closings: Sequence[WindowClose], options: ModelOptions) -> list[WindowResult]:
    """Return what consecutive closings find, each as of its own position, as if the result of each had been recorded
    before the next. Raises NotCompacted unless the log is compacted up to the last."""
    from monitor.clock import SystemClock
    from monitor.store.engine import kept_engine
    from monitor.worker.evaluate.closing import WindowEvaluator

    engine = kept_engine(url)
    try:
        evaluator = WindowEvaluator(engine, model, closings[-1], options, SystemClock()) if closings else None
        return [evaluator.of(closing) for closing in closings] if evaluator else []
    finally:
        engine.dispose()


def compact(url: str, model: str, upto_seq: int, options: ModelOptions) -> CompactionResult:
    """Turn a model's arrivals up to `upto_seq`, but no further than the daemon has scanned, into chunks and placed
    labels. A run that was cut short anywhere can simply be called again. Raises DamagedBatch."""
    from monitor.store.engine import kept_engine
    from monitor.worker.compaction.compaction import Compaction

    engine = kept_engine(url)
    try:
        return Compaction(engine, model, options).run(upto_seq)
    finally:
        engine.dispose()


def compact_some(url: str, model: str, upto_seq: int, seconds: float, options: ModelOptions) -> CompactionResult:
    """Do the same for about so many seconds, at least one portion."""
    from monitor.clock import SystemClock
    from monitor.store.engine import kept_engine
    from monitor.worker.compaction.compaction import Compaction

    engine, monotonic = kept_engine(url), SystemClock().monotonic
    until = monotonic() + seconds
    try:
        return Compaction(engine, model, options).run(upto_seq, lambda: monotonic() >= until)
    finally:
        engine.dispose()


def build_reference(
    url: str, path: str, options: ModelOptions, progress: Callable[[float], None] | None = None
) -> BuiltReference:
    """Store the reference that this file (Parquet, CSV or Arrow) makes, unless it is the model's newest already.
    `progress` gets the share that is done. Raises SchemaError with one sentence when the file is unfit."""
    from monitor.clock import SystemClock
    from monitor.store.engine import open_engine
    from monitor.worker.references.segments import freeze_with
    from monitor.worker.stored.references import of_file, read_table, store
    from monitor.worker.stored.segments import check, missing, stored_cost

    engine = open_engine(url, create=False)
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
            freeze_with(engine, reference, read_table(path, options.csv), options)
        with engine.connect() as connection:
            notes = stored_cost(connection, reference, options)
        return replace(built, notes=tuple(notes))
    finally:
        engine.dispose()


def keep_profiles(url: str, model: str, seconds: float, options: ModelOptions) -> UpkeepResult:
    """Profile chunks that came before the model's newest binning, newest first, for about so many seconds, and roll up
    what has been judged. A run that was cut short anywhere can simply be called again."""
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
"""Bytes of one image at most; a larger picture is an error."""


class PictureTooLarge(Exception):
    """Raised for an image beyond its bound."""


def draw_pictures(url: str, ids: Sequence[str]) -> int:
    """Draw these pictures as SVG and PNG, store them, and return how many. Raises PictureTooLarge."""
    from checks.pictures.png import picture
    from checks.pictures.sheet import sheet
    from monitor.store.alerts import pictures
    from monitor.store.engine import open_engine

    engine, drawn = open_engine(url, create=False), 0
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
    """Run Evidently over a sample of the window; the HTML is stored here, and only its number travels. Raises what
    Evidently raises, unless only some columns are at fault: these become measurements without a value."""
    from monitor.clock import SystemClock
    from monitor.store.engine import open_engine
    from monitor.worker.evidently.report import run

    engine = open_engine(url, create=False)
    try:
        return run(engine, model, task, options, SystemClock())
    finally:
        engine.dispose()
