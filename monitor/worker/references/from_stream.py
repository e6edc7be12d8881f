"""References out of the stored stream: of whole windows' rows, as they were at a position in the arrival log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlalchemy import Engine

from checks.base import Window
from checks.calibration.build_reference import build_reference, reference_under
from checks.calibration.rebase import rebased_limits
from checks.calibration.reference_windows import FEWEST, cut
from checks.data.infer_from_events import observed
from checks.data.schema import Schema
from checks.limits import Calibration
from checks.profile import Binning, CategoryBins, NumberBins
from checks.profile.binning import watched
from checks.reference import Reference
from checks.segments.references import ENOUGH
from monitor.clock import iso
from monitor.worker.messages import ModelOptions
from monitor.worker.references.segments import freeze, refreeze
from monitor.worker.sample import Sample
from monitor.worker.stored.chunks import fitted
from monitor.worker.stored.segments import Segments
from monitor.worker.stored.window_reader import WindowReader

LOOKED_AT = 20_000
"""Rows that tell what the columns mean."""
CELLS = 25_000_000
"""Values (rows × columns) that a reference is built from; of more rows, a sample."""

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class LearnedReference:
    """What rows of the stream teach."""

    reference: Reference
    segments: tuple[Segments, ...] = ()
    """What is normal for the segments, as far as they hold any."""


class NotLearned(Exception):
    """The stream does not hold what a reference is made from; one sentence."""


@dataclass(frozen=True, slots=True)
class StreamRange:
    """Rows of the stream: in whole windows, up to an arrival, of one version of the model or of all."""

    window: Window
    seq: int
    version: str | None = None

    @property
    def description(self) -> str:
        """Return the range in words."""
        of = "" if self.version is None else f" of version {self.version or '(none)'}"
        return f"events {iso(self.window.start)}/{iso(self.window.end)}{of}"

    def windows(self, every: float) -> Iterator[Window]:
        for index in range(round(self.window.seconds / every)):
            start = self.window.start + index * every
            yield Window(start, start + every)


def _silent(_share: float) -> None:
    pass


def learn(engine: Engine, span: StreamRange, options: ModelOptions, progress: Progress = _silent) -> LearnedReference:
    """The reference of these rows, with bins of its own. Raises NotLearned where there are too few, SchemaError where
    they mean nothing."""
    first = WindowReader(engine, options.model, None, span.seq, options, version=span.version)
    rows = _enough(first, span, options)
    look = Sample(LOOKED_AT, 0)
    for window in span.windows(options.every):
        for frame in first.with_labels(window):
            look.add(frame)
    seen = look.table()
    assert seen is not None
    schema = observed(seen, options.schema)
    progress(0.2)
    frame = _rows(engine, span, options, schema, _kinds(schema), lambda share: progress(0.2 + 0.3 * share))
    made = build_reference(
        frame,
        schema,
        bins=options.bins,
        every=options.every,
        min_rows=options.checks.min_rows,
        progress=lambda share: progress(0.5 + 0.4 * share),
    )
    segments = freeze(options, made, frame)
    progress(1.0)
    return LearnedReference(_noted(made, rows), tuple(segments))


def relearn(
    engine: Engine,
    span: StreamRange,
    options: ModelOptions,
    base: Reference,
    parts: Sequence[Segments] = (),
    progress: Progress = _silent,
) -> LearnedReference:
    """The reference of these rows under the bins of another, and with the values of its segments: what is accepted as
    normal. Its limits are learned from the rows as far as they hold enough windows, and else are the other's, moved.
    Raises NotLearned."""
    rows = _enough(WindowReader(engine, options.model, None, span.seq, options, version=span.version), span, options)
    kinds = _kinds(base.schema)
    frame = _rows(engine, span, options, base.schema, kinds, lambda share: progress(0.5 * share))
    for name in base.binning.columns.keys() - set(frame.column_names):
        frame = frame.append_column(name, _nulls(kinds, name, frame.num_rows))
    frame = frame.drop_columns(
        [name for name in kinds.columns.keys() - base.binning.columns.keys() if name in frame.column_names]
    )
    made = reference_under(
        base.binning,
        frame,
        base.schema,
        every=options.every,
        min_rows=options.checks.min_rows,
        progress=lambda share: progress(0.5 + 0.4 * share),
    )
    alone = cut(frame["time"], options.every, options.checks.min_rows) is None
    made = _completed(made, base, alone=alone)
    segments, lost = _parts(refreeze(options, parts, made, frame), parts, alone=alone)
    if lost:
        made = replace(made, notes=(*made.notes, _lost(lost)))
    progress(1.0)
    return LearnedReference(_noted(made, rows), segments)


def _completed(made: Reference, base: Reference, *, alone: bool) -> Reference:
    """What the rows could not tell, from the reference before. `alone`: they hold too few windows to set limits."""
    notes, limits = list(made.notes), dict(made.calibration.limits)
    if alone:
        limits |= rebased_limits(base, made.profile)
        notes = [
            f"It holds fewer than {FEWEST} windows with rows enough to show how windows differ, so its limits are the "
            "former reference's, moved to the new counts."
        ]
    performance = made.performance
    if not performance and base.performance:
        performance = base.performance
        limits |= {key: limit for key, limit in base.calibration.limits.items() if key[0] == "performance"}
        notes.append("No labels have come for its rows, so performance is compared with the former reference's.")
    return replace(made, performance=performance, calibration=Calibration(limits), notes=tuple(notes))


def _parts(
    made: Sequence[Segments], base: Sequence[Segments], *, alone: bool
) -> tuple[tuple[Segments, ...], list[str]]:
    """The dimensions, each segment's reference completed from the one before, and the segments that have none now."""
    former = {one.column: one.segmentation.references for one in base if one.segmentation is not None}
    found, lost = [], list[str]()
    for one in made:
        assert one.segmentation is not None
        own, before = one.segmentation.references, former[one.column]
        whole = {
            name: replace(_completed(new, before[name], alone=alone), notes=()) if name in before else new
            for name, new in own.items()
        }
        found.append(replace(one, segmentation=replace(one.segmentation, references=whole)))
        lost += [name for name in before if name not in own]
    return tuple(found), lost


def _lost(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (
        f"It holds too few rows of {', '.join(names[:5])}{more}, whose drift and performance are held against nothing; "
        f"{ENOUGH} rows of a segment are needed, so accept a longer time."
    )


def _enough(evidence: WindowReader, span: StreamRange, options: ModelOptions) -> int:
    rows = sum(evidence.rows(window) for window in span.windows(options.every))
    if rows < options.checks.min_rows:
        raise NotLearned(f"there are {rows} rows, and {options.checks.min_rows} are needed (windows.min_rows)")
    return rows


def _rows(
    engine: Engine, span: StreamRange, options: ModelOptions, schema: Schema, kinds: Binning, progress: Progress
) -> pa.Table:
    """The rows as this schema takes them, in the order of time, with every feature; of very many a sample."""
    evidence = WindowReader(engine, options.model, None, span.seq, options, version=span.version, schema=schema)
    sample = Sample(max(CELLS // (len(schema.features) + 8), 1000), 0)
    every = list(span.windows(options.every))
    for place, window in enumerate(every, 1):
        for frame in evidence.with_labels(window):
            sample.add(fitted(frame, kinds))
        progress(place / len(every))
    found = sample.table()
    assert found is not None  # _enough has counted them
    for name in kinds.columns:
        if name.startswith("f:") and name not in found.column_names:
            found = found.append_column(name, _nulls(kinds, name, found.num_rows))
    return found


_BINS: dict[str, NumberBins | CategoryBins] = {"number": NumberBins(()), "text": CategoryBins(())}


def _kinds(schema: Schema) -> Binning:
    """Bins of nothing: they say which columns are numbers and which texts."""
    return Binning({name: _BINS[kind] for name, kind in watched(schema).items()})


def _nulls(kinds: Binning, name: str, rows: int) -> pa.Array:
    return pa.nulls(rows, pa.float64() if isinstance(kinds.columns[name], NumberBins) else pa.string())


def _noted(made: Reference, rows: int) -> Reference:
    if made.n == rows:
        return made
    return replace(made, notes=(*made.notes, f"It is made from a sample of {made.n} of the span's {rows} rows."))
