"""Freezes segmentations, which `monitor.worker.stored.segments` reads: what values are segments, and what is
normal for each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite

from checks.data.frame import as_text, from_reference
from checks.reference import Reference
from checks.segments.dimension import MISSING, Dimension, added, most, tally
from checks.segments.references import Segmentation, segmentation
from monitor.store.engine import writing
from monitor.store.tables import segmentations
from monitor.worker.messages import ModelOptions, SegmentOptions
from monitor.worker.stored.references import StoredReference
from monitor.worker.stored.segments import (
    SEGMENTATION_CODEC,
    Segments,
    column_of,
    learned_settings,
    methods_of,
    settings_of,
)

log = logging.getLogger("watchkeeper.segments")

FREEZE_ROWS = 1_000
"""Rows of closed windows from which the values of a tag are learned that the reference lacks."""


def freeze_with(engine: Engine, reference: StoredReference, table: pa.Table, options: ModelOptions) -> None:
    """Stores what the reference's rows (its file's table) tell of each dimension that is not there yet. Raises
    SchemaError."""
    made = freeze_from_file(table, options, reference.reference)
    with writing(engine).begin() as connection:
        keep(connection, reference.number, made, options)


def freeze_from_file(table: pa.Table, options: ModelOptions, reference: Reference) -> list[Segments]:
    """What the reference's file tells of the config's dimensions. Raises SchemaError."""
    frame = from_reference(table, reference.schema)
    for one in options.segments:
        column = column_of(one, reference.schema)
        if column not in frame.column_names and one.name in table.column_names:
            frame = frame.append_column(column, as_text(table[one.name]))
    return freeze(options, reference, frame)


def freeze(options: ModelOptions, reference: Reference, frame: pa.Table) -> list[Segments]:
    """What the reference's frame tells of the config's dimensions: their values, and what is normal for each. A tag
    that it does not hold is left to be learned from the stream."""
    found = []
    for one in options.segments:
        column = column_of(one, reference.schema)
        rows = tally(frame, column, reference.binning) if column in frame.column_names else {MISSING: 0}
        if set(rows) == {MISSING} and (column.startswith("t:") or column not in frame.column_names):
            continue
        dimension = Dimension(column, most(rows, one.top))
        found.append(Segments(one, column, _summarised(one, dimension, frame, reference, options)))
    return found


def refreeze(
    options: ModelOptions, before: Sequence[Segments], reference: Reference, frame: pa.Table
) -> list[Segments]:
    """The dimensions of the reference before, with what is normal for their values by another one's frame."""
    return [
        replace(
            one, segmentation=_summarised(one.options, one.segmentation.dimension, frame, reference, options), seq=0
        )
        for one in before
        if one.segmentation is not None
    ]


def _summarised(
    one: SegmentOptions, dimension: Dimension, frame: pa.Table, reference: Reference, options: ModelOptions
) -> Segmentation:
    return segmentation(
        dimension,
        frame,
        reference,
        checks=one.checks,
        methods=methods_of(options),
        every=options.every,
        min_rows=one.min_rows,
    )


def keep(connection: Connection, number: int, made: Sequence[Segments], options: ModelOptions) -> None:
    """Stores these dimensions with the reference of this number, in the caller's transaction."""
    for one in made:
        assert one.segmentation is not None
        _store(connection, number, one.column, settings_of(one.options, options), 0, one.segmentation, options.model)


def learned(
    engine: Engine,
    reference: StoredReference,
    one: Segments,
    windows: Iterable[Iterable[pa.Table]],
    seq: int,
    model: str,
) -> Segments:
    """The dimension with the values of these windows' rows (each window chunk by chunk; as many as are needed), frozen
    and recorded as of a position; as it was if they are too few, or none of them has the tag yet."""
    binning = reference.reference.binning
    rows: dict[str, int] = {}
    for frames in windows:
        rows = added([rows, *(tally(frame, one.column, binning) for frame in frames)])
        if sum(rows.values()) >= FREEZE_ROWS:
            break
    if sum(rows.values()) < FREEZE_ROWS or set(rows) == {MISSING}:
        return one
    made = Segmentation(Dimension(one.column, most(rows, one.options.top)))
    with writing(engine).begin() as connection:
        _store(connection, reference.id, one.column, learned_settings(one.options), seq, made, model)
    return Segments(one.options, one.column, made, seq)


def _store(
    connection: Connection, reference_id: int, column: str, settings: str, seq: int, made: Segmentation, model: str
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {
        "model": model,
        "reference_id": reference_id,
        "column": column,
        "settings": settings,
        "seq": seq,
        "codec": SEGMENTATION_CODEC,
        "payload": made.to_bytes(),
    }
    connection.execute(dialect.insert(segmentations).on_conflict_do_nothing(), values)
    log.info("%s: segments of %s: %s", model, column[2:], ", ".join(made.dimension.values) or "none")
