"""Predictions as columns: a payload of the arrival log or the reference's table, brought into one layout.

Columns: `id`, `time` (epoch seconds), `prediction` (number in a regression, else text), `score` (binary: the positive
class's probability), `p:<class>` (multiclass; `list:<place>` where no schema says the classes), `invalid_probabilities`
(the text of those that can't be read), `latency` (seconds), `version`, `t:<tag>`, `f:<feature>` (number, or text;
booleans as `true` and `false`; of a time `f:<feature>.hour` and `f:<feature>.weekday`), `m:<feature>` (the text of
values whose type does not fit, which are null in `f:`), and in the reference `label`. Absent columns are all null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import (
    Bools,
    Codes,
    Floats,
    coded_array,
    dictionary,
    encoded,
    float_array,
    floats,
    is_number,
    is_text,
    whole,
)
from checks.data.canonical_text import spellings
from checks.data.datetime_parts import UNITS, parse, part_columns, part_names
from checks.data.frame_payload import KEPT_TEXT, TRUTH, _category, _cut
from checks.data.number_text import numbers_of, numbers_of_text
from checks.data.schema import FeatureType, Schema, SchemaError


def from_reference(table: pa.Table, schema: Schema) -> pa.Table:
    """The frame of a reference, with `label` where it has a target; a feature that can't be read is missing in all rows
    (building the reference names it). Raises SchemaError for the times of its rows if it can't read those."""
    columns: dict[str, pa.Array] = {}
    if schema.id:
        columns["id"] = as_text(table[schema.id])
    if schema.time:
        columns["time"] = as_time(table[schema.time], schema.time)
    score = numbers_of(table[schema.score]) if schema.score else None
    if schema.prediction and schema.prediction != schema.score:
        columns["prediction"] = _as_outcome(table[schema.prediction], schema)
    elif score is not None:
        columns["prediction"] = _cut(score, schema)
    if score is not None:
        columns["score"] = score
    for name, column in schema.probabilities:
        values = numbers_of(table[column])
        if schema.task == "multiclass":
            columns[f"p:{name}"] = values
        elif name == schema.positive_class and score is None:
            columns["score"] = values
            columns.setdefault("prediction", _cut(values, schema))
    if schema.target:
        columns["label"] = _as_outcome(table[schema.target], schema)
    for name, kind in schema.features:
        try:
            found = {own: _plain(values) for own, values in feature_columns(table[name], name, kind).items()}
        except (SchemaError, pa.ArrowException):
            parts = part_names(name) if kind == "datetime" else (name,)
            found = {f"f:{part}": pa.nulls(table.num_rows, pa.string()) for part in parts}
        columns |= found
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def feature_columns(column: pa.ChunkedArray, name: str, kind: FeatureType) -> dict[str, pa.Array | pa.ChunkedArray]:
    """The `f:` columns of a feature of a table, and `m:` where texts stand for numbers; numbers and texts as they are
    stored where they can be profiled so. Raises SchemaError or a pa.ArrowException for a column that can't be read."""
    if kind == "numeric":
        if is_text(column.type):
            numbers, odd = numbers_of_text(column)
            return {f"f:{name}": numbers} if odd is None else {f"f:{name}": numbers, f"m:{name}": odd}
        return {f"f:{name}": column if is_number(column.type) else numbers_of(column)}
    if kind == "datetime":
        parts = part_columns(*floats(as_time(column, name)))
        return {f"f:{name}.{part}": values for part, values in parts.items()}
    if kind == "categorical" and is_text(column.type):
        return {f"f:{name}": column}
    if kind == "boolean":
        return _booleans(column, name)
    return {f"f:{name}": dictionary(*_spelled(whole(column), None))}


def _booleans(column: pa.ChunkedArray, name: str) -> dict[str, pa.Array | pa.ChunkedArray]:
    codes, names = _spelled(whole(column), None)
    kept = [TRUTH.get(word or "") for word in names]
    odd = [word if truth is None else None for word, truth in zip(names, kept, strict=True)]
    found = {f"f:{name}": coded_array(codes, kept)}
    return found if not any(odd) else found | {f"m:{name}": coded_array(codes, odd)}


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """As a frame holds it: numbers as float64, texts as strings."""
    if is_number(column.type):
        return float_array(*floats(column))
    array = whole(column)
    return array if pa.types.is_string(array.type) else pc.cast(array, pa.string())


def concat(frames: Sequence[pa.Table]) -> pa.Table:
    """The frames' rows one after the other; a column that is text in one of them is text in all."""
    kinds: dict[str, pa.DataType] = {}
    for frame in frames:
        for column in frame.schema:
            kinds[column.name] = column.type if kinds.get(column.name, column.type) == column.type else pa.string()
    frames = [_promoted(frame, kinds) for frame in frames]
    return pa.concat_tables(frames, promote_options="default").combine_chunks()


def _promoted(frame: pa.Table, kinds: Mapping[str, pa.DataType]) -> pa.Table:
    for place, column in enumerate(frame.schema):
        if column.type != kinds[column.name]:
            frame = frame.set_column(place, column.name, as_text(frame[column.name]))
    return frame


# features


# predictions, probabilities and labels


# the reference's columns


def as_text(column: pa.ChunkedArray | pa.Array, other: Mapping[str, str] | None = None) -> pa.Array:
    """The column in the one spelling of its values, or in these other ones."""
    array = whole(column)
    if not other and pa.types.is_string(array.type):
        return array
    return coded_array(*_spelled(array, other))


def _spelled(array: pa.Array, other: Mapping[str, str] | None) -> tuple[Codes, list[str | None]]:
    codes, values = encoded(pc.cast(array, pa.string()) if pa.types.is_boolean(array.type) else array)
    names: list[str | None] = []
    for value in values:
        name = _category(value if isinstance(value, str | int | float) else float(value))
        names.append(other.get(name, name) if other and name is not None else name)
    return codes, names


def _as_outcome(column: pa.ChunkedArray, schema: Schema) -> pa.Array:
    if schema.task == "regression":
        return numbers_of(column)
    return as_text(column, spellings(schema.classes))


def as_time(column: pa.ChunkedArray, name: str) -> pa.Array:
    """Epoch seconds; times without a zone are UTC, numbers are seconds, or milli-, micro- or nanoseconds by size."""
    array = whole(column)
    if pa.types.is_dictionary(array.type):
        array = pc.cast(array, array.type.value_type)
    if is_text(array.type):
        array = _time_of_texts(array, name)
    if pa.types.is_date(array.type):
        array = pc.cast(array, pa.timestamp("s"))
    if pa.types.is_timestamp(array.type):
        unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[array.type.unit]
        values, present = floats(pc.cast(array, pa.int64()))
        return float_array(values / unit, present)
    values, present = floats(array)
    return float_array(values / _unit(values, present), present & np.isfinite(values))


def _time_of_texts(array: pa.Array, name: str) -> pa.Array:
    try:
        return pc.cast(array, pa.timestamp("us"))
    except pa.ArrowInvalid:
        try:
            return pc.cast(array, pa.timestamp("us", "UTC"))
        except pa.ArrowInvalid as error:
            texts = pc.unique(array).drop_null().to_pylist()
            wrong = next((text for text, second in zip(texts, parse(texts), strict=True) if second is None), None)
            told = error if wrong is None else repr(wrong[:KEPT_TEXT])
            raise SchemaError(f"time column {name!r} holds what is no ISO 8601 time ({told}); convert it") from error


def _unit(values: Floats, present: Bools) -> float:
    known = values[present & np.isfinite(values)]
    middle = float(np.median(known)) if len(known) else 0.0
    return next((size for limit, size in UNITS if middle > limit), 1.0)
