"""The profile of a whole source, with memory bounded by the blocks that are worked on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa

from checks.data.datetime_parts import part_names
from checks.data.frame import feature_columns, from_reference
from checks.data.parallel import THREADS, each
from checks.data.schema import FeatureType, Schema
from checks.profile import Binning, Profile, empty, merge
from checks.profile.summary import Column, column_of, merged, nothing
from checks.source.base import Source, Stream, grouped
from checks.source.memory import TableSource

Part = dict[str, Column | str]
"""Columns of a profile; of one that raised, why."""


def profile_source(
    source: Source | Stream,
    schema: Schema,
    binning: Binning,
    *,
    threads: int = THREADS,
    progress: Callable[[float], None] = lambda share: None,
) -> Profile:
    """The source's profile under these bins, as `profile(from_reference(…))` of all its rows at once.

    A column that the source lacks is missing in every row; one that can't be read is an error of its own. `progress` is
    told the share done, 0 … 1; of a stream, whose length is not known, only the end.
    """
    if isinstance(source, Stream):
        found = empty(binning)
        for piece in each(lambda table: _profile(table, schema, binning), source.batches(), threads):
            found = merge(found, piece)
        progress(1.0)
        return found
    outcome, features = columns_of(source.schema, schema)
    tasks = [(part, group) for part, rows in enumerate(source.parts) for group in grouped(list(features), rows)]
    tasks += [(part, outcome) for part in range(len(source.parts)) if outcome]
    columns: dict[str, Column] = {}
    errors: dict[str, str] = {}
    work = each(lambda task: _part(source, task[0], task[1], features, schema, binning), tasks, threads)
    for place, done in enumerate(work, 1):
        for name, column in done.items():
            if isinstance(column, str):
                errors[name] = column
            else:
                columns[name] = merged(columns[name], column) if name in columns else column
        progress(place / len(tasks))
    rows = sum(source.parts)
    whole = {
        name: columns[name] if name in columns and name not in errors else nothing(bins, rows)
        for name, bins in binning.columns.items()
    }
    return Profile(rows, whole, binning.fingerprint, errors)


def columns_of(kinds: pa.Schema, schema: Schema) -> tuple[tuple[str, ...], dict[str, FeatureType]]:
    """The source's columns that the outcome is made of, and those that are features, with their types."""
    present = set(kinds.names)
    roles = (schema.time, schema.prediction, schema.score, schema.target, *(name for _, name in schema.probabilities))
    outcome = tuple(name for name in dict.fromkeys(roles) if name is not None and name in present)
    return outcome, {name: kind for name, kind in schema.features if name in present}


def outcome_of(table: pa.Table, schema: Schema) -> pa.Table:
    """The frame of the table's rows without features: time, prediction, score, probabilities and label, as far as the
    table has their columns."""
    has = set(table.column_names)
    own = replace(
        schema,
        features=(),
        id=None,
        time=schema.time if schema.time in has else None,
        prediction=schema.prediction if schema.prediction in has else None,
        score=schema.score if schema.score in has else None,
        target=schema.target if schema.target in has else None,
        probabilities=tuple((word, name) for word, name in schema.probabilities if name in has),
    )
    return from_reference(table, own)


def _part(
    source: Source, part: int, names: Sequence[str], features: dict[str, FeatureType], schema: Schema, binning: Binning
) -> Part:
    try:
        table = source.read(part, names)
    except Exception as error:
        if names[0] not in features:
            raise
        if len(names) == 1:
            return _failed(names[0], features[names[0]], binning, error)
        alone = [_part(source, part, [name], features, schema, binning) for name in names]
        return {own: made for one in alone for own, made in one.items()}
    if names[0] not in features:
        frame = outcome_of(table, schema)
        watched = [name for name in binning.columns if name in frame.column_names]
        return {name: column_of(frame[name], binning.columns[name]) for name in watched}
    found: Part = {}
    for name in names:
        found |= _feature(table[name], name, features[name], binning)
    return found


def _feature(column: pa.ChunkedArray, name: str, kind: FeatureType, binning: Binning) -> Part:
    try:
        made = feature_columns(column, name, kind)
        odd = made.pop(f"m:{name}", None)
        mismatched = 0 if odd is None else len(odd) - odd.null_count
        return {
            own: column_of(values, binning.columns[own], mismatched)
            for own, values in made.items()
            if own in binning.columns
        }
    except Exception as error:  # noqa: BLE001 - the column's boundary: kept as its own error
        return _failed(name, kind, binning, error)


def _failed(name: str, kind: FeatureType, binning: Binning, error: Exception) -> Part:
    parts = part_names(name) if kind == "datetime" else (name,)
    return {f"f:{own}": f"{type(error).__name__}: {error}" for own in parts if f"f:{own}" in binning.columns}


def _profile(table: pa.Table, schema: Schema, binning: Binning) -> Profile:
    return profile_source(TableSource(table), schema, binning, threads=1)
