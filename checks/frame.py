"""Predictions as columns: a payload of the arrival log or the reference's table, brought into one layout.

Columns: `id`, `time` (epoch seconds), `prediction` (number in a regression, else text), `score` (binary: the positive
class's probability), `p:<class>` (multiclass), `latency` (seconds), `version`, `t:<tag>`, `f:<feature>` (number, or
text; booleans as `true` and `false`; of a time `f:<feature>.hour` and `f:<feature>.weekday`), `m:<feature>` (the text
of values whose type does not fit, which are null in `f:`), and in the reference `label`. Absent columns are all null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.arrow import (
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
    string_array,
    whole,
)
from checks.ids import hash_ids
from checks.moment import UNITS, parse, part_columns, part_names
from checks.scalar import spellings, text
from checks.schema import FeatureType, Schema, SchemaError

__all__ = ["concat", "from_payload", "from_reference", "hash_ids", "label_array"]

CUT = 0.5  # a score of at least this is the positive class where nothing else says so
KEPT_TEXT = 100  # characters kept of a value of the wrong type

Values = Sequence[Any]


def from_payload(payload: Mapping[str, Any], schema: Schema | None) -> pa.Table:
    """The frame of one accepted batch (codec `msgpack-columns/1`); without a schema, types come from the values.

    Features that the schema excludes are left out; features it does not know are kept, with inferred types.
    """
    ids: list[str] = payload["id"]
    columns: dict[str, pa.Array] = {
        "id": string_array(ids),
        "time": float_array(np.array(payload["time"], np.float64)),
    }
    columns.update(_outcome(payload, schema, len(ids)))
    if (latency := payload.get("latency")) is not None:
        columns["latency"] = _numeric(latency)[0]
    if (version := payload.get("version")) is not None:
        columns["version"] = string_array(version)
    columns.update(_tags(payload.get("tags")))
    columns.update(_features(payload["features"], schema, len(ids)))
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def from_reference(table: pa.Table, schema: Schema) -> pa.Table:
    """The frame of a reference, with `label` where it has a target; a feature that can't be read is missing in all rows
    (building the reference names it). Raises SchemaError for the times of its rows if it can't read those."""
    columns: dict[str, pa.Array] = {}
    if schema.id:
        columns["id"] = as_text(table[schema.id])
    if schema.time:
        columns["time"] = as_time(table[schema.time], schema.time)
    score = float_array(*floats(table[schema.score])) if schema.score else None
    if schema.prediction and schema.prediction != schema.score:
        columns["prediction"] = _as_outcome(table[schema.prediction], schema)
    elif score is not None:
        columns["prediction"] = _cut(score, schema)
    if score is not None:
        columns["score"] = score
    for name, column in schema.probabilities:
        values = float_array(*floats(table[column]))
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
            return _numbers_of_text(column, name)
        return {f"f:{name}": column if is_number(column.type) else float_array(*floats(column))}
    if kind == "datetime":
        parts = part_columns(*floats(as_time(column, name)))
        return {f"f:{name}.{part}": values for part, values in parts.items()}
    if kind == "categorical" and is_text(column.type):
        return {f"f:{name}": column}
    return {
        f"f:{name}": dictionary(*_spelled(whole(column), {"1": "true", "0": "false"} if kind == "boolean" else None))
    }


def _numbers_of_text(column: pa.ChunkedArray, name: str) -> dict[str, pa.Array | pa.ChunkedArray]:
    codes, texts = encoded(column)
    numbers = [None if word is None else _read_number(word) for word in texts]
    held = np.array([number is not None for number in numbers] + [False], np.bool_)[codes]
    values = np.array([0.0 if number is None else number for number in numbers] + [0.0])[codes]
    found = {f"f:{name}": float_array(values, held)}
    if ((codes >= 0) & ~held).any():
        odd = [None if number is not None else word for word, number in zip(texts, numbers, strict=True)]
        found[f"m:{name}"] = coded_array(codes, odd)
    return found


def _read_number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """As a frame holds it: numbers as float64, texts as strings."""
    if is_number(column.type):
        return float_array(*floats(column))
    array = whole(column)
    return array if pa.types.is_string(array.type) else pc.cast(array, pa.string())


def label_array(values: Values, schema: Schema | None) -> pa.Array:
    """Labels (JSON scalars) as the frame's `label` column: the schema's classes, or numbers; else null."""
    if schema is None:
        return _FIT[_inferred(values)](values)[0]
    return _numeric(values)[0] if schema.task == "regression" else _classes(values, schema)


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


def _features(given: Mapping[str, Values], schema: Schema | None, rows: int) -> dict[str, pa.Array]:
    """The `f:` columns, then the `m:` columns of what does not fit."""
    kinds = dict(schema.features) if schema else {}
    skipped = {name for name, _ in schema.excluded} if schema else set()
    columns: dict[str, pa.Array] = {}
    mismatched: dict[str, pa.Array] = {}
    for name, kind in kinds.items():
        if kind == "datetime":
            parts, odd = _moment(given.get(name, [None] * rows))
            columns |= {f"f:{name}.{part}": column for part, column in parts.items()}
            mismatched |= {} if odd is None else {f"m:{part}": odd for part in part_names(name)}
            skipped |= {name, *part_names(name)}
        elif name not in given:
            columns[f"f:{name}"] = pa.nulls(rows, pa.float64() if kind == "numeric" else pa.string())
    for name, values in given.items():
        if name not in skipped:
            columns[f"f:{name}"], odd = _FIT[kinds.get(name) or _inferred(values)](values)
            mismatched |= {} if odd is None else {f"m:{name}": odd}
    return columns | mismatched


def _inferred(values: Values) -> FeatureType:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {int, float}:
        return "numeric"
    return "boolean" if kinds == {bool} else "categorical"


def _numeric(values: Values) -> tuple[pa.Array, pa.Array | None]:
    kinds = set(map(type, values))
    if kinds <= {int, float, type(None)}:
        try:
            data = np.array(values, np.float64)
        except OverflowError:  # an integer beyond the largest float
            return _fitted(values, _number)
        if type(None) not in kinds:
            return float_array(data), None
        return float_array(data, np.array([value is not None for value in values], np.bool_)), None
    return _fitted(values, _number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _fitted(values: Values, fit: Callable[[Any], float | None]) -> tuple[pa.Array, pa.Array | None]:
    fitted = [None if value is None else fit(value) for value in values]
    present = np.array([value is not None for value in fitted], np.bool_)
    return float_array(np.array(fitted, np.float64), present), _odd(values, fitted)


def _categorical(values: Values) -> tuple[pa.Array, pa.Array | None]:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return string_array(values), None
    if kinds <= {str, int, float, bool}:
        return string_array([_category(value) for value in values]), None
    fitted = [_category(value) for value in values]
    return string_array(fitted), _odd(values, fitted)


def _category(value: Any) -> str | None:
    """NaN is how data-frame clients write a missing text."""
    if not isinstance(value, str | int | float) or (isinstance(value, float) and math.isnan(value)):
        return None
    return text(value)


def _boolean(values: Values) -> tuple[pa.Array, pa.Array | None]:
    fitted = [_BOOLEAN.get(value) if isinstance(value, int | float) else None for value in values]
    odd = None if set(map(type, values)) <= {bool, type(None)} else _odd(values, fitted)
    return string_array(fitted), odd


def _moment(values: Values) -> tuple[dict[str, pa.Array], pa.Array | None]:
    """The parts of times, and what is no time."""
    seconds = parse(values)
    present = np.array([second is not None for second in seconds], np.bool_)
    return part_columns(np.array(seconds, np.float64), present), _odd(values, seconds)


_BOOLEAN: dict[Any, str] = {True: "true", False: "false"}  # finds 1, 0, 1.0 and 0.0, too

_FIT: dict[str, Callable[[Values], tuple[pa.Array, pa.Array | None]]] = {
    "numeric": _numeric,
    "categorical": _categorical,
    "boolean": _boolean,
}


def _odd(values: Values, fitted: Sequence[Any]) -> pa.Array | None:
    """The text of values that did not fit; None when all did."""
    odd = [
        None if value is None or fit is not None or value != value else text(value)[:KEPT_TEXT]
        for value, fit in zip(values, fitted, strict=True)
    ]
    return string_array(odd) if any(value is not None for value in odd) else None


def _tags(tags: Sequence[Mapping[str, str] | None] | None) -> dict[str, pa.Array]:
    if tags is None:
        return {}
    names = sorted({name for row in tags if row for name in row})
    return {f"t:{name}": string_array([row.get(name) if row else None for row in tags]) for name in names}


# predictions, probabilities and labels


def _outcome(payload: Mapping[str, Any], schema: Schema | None, rows: int) -> dict[str, pa.Array]:
    predictions: Values = payload["prediction"]
    given: Values | None = payload.get("probabilities")
    if schema is None or schema.task is None:
        columns = {"prediction": _FIT[_inferred(predictions)](predictions)[0]}
        return columns if given is None else columns | _loose_probabilities(given)
    if schema.task == "regression":
        return {"prediction": _numeric(predictions)[0]}
    if schema.task == "multiclass":
        columns = {"prediction": _classes(predictions, schema)}
        return columns if given is None else columns | _probabilities(given, schema)
    score = None if given is None else _scores(given, schema)
    if schema.score is not None and schema.score == schema.prediction and _inferred(predictions) == "numeric":
        score = score if score is not None else _numeric(predictions)[0]
        return {"prediction": _cut(_numeric(predictions)[0], schema), "score": score}
    columns = {"prediction": _classes(predictions, schema)}
    return columns if score is None else columns | {"score": score}


def _classes(values: Values, schema: Schema) -> pa.Array:
    other = spellings(schema.classes)
    kinds = set(map(type, values))
    # True == 1 == 1.0 as a key, so the spelling is remembered by value only where no booleans are mixed in.
    if (bool in kinds and len(kinds - {type(None)}) > 1) or kinds & {list, dict}:
        return string_array([_class(value, other) for value in values])
    known = {value: _class(value, other) for value in set(values)}
    return string_array([known[value] for value in values])


def _class(value: Any, other: Mapping[str, str]) -> str | None:
    name = _category(value)
    return None if name is None else other.get(name, name)


def _negative(schema: Schema) -> str:
    rest = [name for name in schema.classes if name != schema.positive_class]
    return rest[0] if rest else ("0" if schema.positive_class == "1" else f"not {schema.positive_class}")


def _cut(score: pa.Array, schema: Schema) -> pa.Array:
    values, present = floats(score)
    codes = np.where(values >= CUT, 1, 0).astype(np.int32)
    codes[~present | np.isnan(values)] = -1
    return coded_array(codes, [_negative(schema), schema.positive_class])


def _scores(given: Values, schema: Schema) -> pa.Array:
    if set(map(type, given)) <= {float, int, type(None)}:
        return _numeric(given)[0]
    other = spellings(schema.classes)
    place = schema.classes.index(schema.positive_class) if schema.positive_class in schema.classes else 1
    negative = _negative(schema)

    def score(row: Any) -> float | None:
        if isinstance(row, dict):
            named = {other.get(name, name): value for name, value in row.items()}
            if schema.positive_class in named:
                return _number(named[schema.positive_class])
            rest = _number(named.get(negative))
            return None if rest is None else 1.0 - rest
        if isinstance(row, list):
            if len(row) == 1:
                return _number(row[0])
            return _number(row[place]) if len(row) == 2 else None
        return _number(row)

    return _fitted(given, score)[0]


def _probabilities(given: Values, schema: Schema) -> dict[str, pa.Array]:
    other = spellings(schema.classes)
    width = len(schema.classes)
    columns = {name: np.full(len(given), np.nan) for name in schema.classes}
    for row, entry in enumerate(given):
        if isinstance(entry, list) and len(entry) == width:
            entry = dict(zip(schema.classes, entry, strict=True))
        if isinstance(entry, dict):
            for word, value in entry.items():
                column = columns.get(str(other.get(word, word)))
                if column is not None and (number := _number(value)) is not None:
                    column[row] = number
    return {f"p:{name}": float_array(values, ~np.isnan(values)) for name, values in columns.items()}


def _loose_probabilities(given: Values) -> dict[str, pa.Array]:
    if set(map(type, given)) <= {float, int, type(None)}:
        return {"score": _numeric(given)[0]}
    rows = [dict(enumerate(row)) if isinstance(row, list) else row for row in given]
    names = sorted({str(name) for row in rows if isinstance(row, dict) for name in row})
    found: dict[str, list[float | None]] = {name: [None] * len(rows) for name in names}
    for place, row in enumerate(rows):
        if isinstance(row, dict):
            for name, value in row.items():
                found[str(name)][place] = _number(value)
    return {f"p:{name}": _numeric(values)[0] for name, values in found.items()}


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
        return float_array(*floats(column))
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
