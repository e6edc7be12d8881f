"""Read a frame out of a stored payload of predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from checks.data.arrow import (
    coded_array,
    float_array,
    floats,
    string_array,
)
from checks.data.canonical_text import read_number, spellings, text
from checks.data.datetime_parts import parse, part_columns, part_names
from checks.data.schema import FeatureType, Schema

CUT = 0.5  # a score of at least this is the positive class where nothing else says so


KEPT_TEXT = 100  # characters kept of a value of the wrong type
UNREAD = "invalid_probabilities"
"""The frame's column with the text of probabilities that can't be read; absent where all can."""


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
    columns.update(_outcome(payload, schema))
    if (latency := payload.get("latency")) is not None:
        columns["latency"] = _numeric(latency)[0]
    if (version := payload.get("version")) is not None:
        columns["version"] = string_array(version)
    columns.update(_tags(payload.get("tags")))
    columns.update(_features(payload["features"], schema, len(ids)))
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def label_array(values: Values, schema: Schema | None) -> pa.Array:
    """Labels (JSON scalars) as the frame's `label` column: the schema's classes, or numbers; else null."""
    if schema is None:
        return _FIT[_inferred(values)](values)[0]
    return _numeric(values, amount)[0] if schema.task == "regression" else _classes(values, schema)


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


def _numeric(values: Values, read: Callable[[Any], float | None] = read_number) -> tuple[pa.Array, pa.Array | None]:
    kinds = set(map(type, values))
    if kinds <= {int, float, type(None)}:
        try:
            data = np.array(values, np.float64)
        except OverflowError:  # an integer beyond the largest float
            return _fitted(values, read)
        if type(None) not in kinds:
            return float_array(data), None
        return float_array(data, np.array([value is not None for value in values], np.bool_)), None
    return _fitted(values, read)


def amount(value: Any) -> float | None:
    """Return the number that an outcome is or writes out; None for all else, true and false among it."""
    return None if isinstance(value, bool) else read_number(value)


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
    fitted = [TRUTH.get(_category(value) or "") for value in values]
    odd = None if set(map(type, values)) <= {bool, type(None)} else _odd(values, fitted)
    return string_array(fitted), odd


def _moment(values: Values) -> tuple[dict[str, pa.Array], pa.Array | None]:
    """The parts of times, and what is no time."""
    seconds = parse(values)
    present = np.array([second is not None for second in seconds], np.bool_)
    return part_columns(np.array(seconds, np.float64), present), _odd(values, seconds)


TRUTH: Mapping[str, str] = dict(spellings(("true", "false")).items(), true="true", false="false")
"""True and false by all their spellings, 1 and 0 among them."""


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


def _outcome(payload: Mapping[str, Any], schema: Schema | None) -> dict[str, pa.Array]:
    predictions: Values = payload["prediction"]
    given: Values | None = payload.get("probabilities")
    if schema is None or schema.task is None:
        columns = {"prediction": _FIT[_inferred(predictions)](predictions)[0]}
        return columns if given is None else columns | _loose_probabilities(given)
    if schema.task == "regression":
        return {"prediction": _numeric(predictions, amount)[0]}
    if schema.task == "multiclass":
        columns = {"prediction": _classes(predictions, schema)}
        return columns if given is None else columns | _probabilities(given, schema)
    score, unread = (None, None) if given is None else _scores(given, schema)
    more = {} if unread is None else {UNREAD: unread}
    if schema.score is not None and schema.score == schema.prediction and _inferred(predictions) == "numeric":
        score = score if score is not None else _numeric(predictions)[0]
        return {"prediction": _cut(_numeric(predictions)[0], schema), "score": score, **more}
    columns = {"prediction": _classes(predictions, schema)} | more
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


def _scores(given: Values, schema: Schema) -> tuple[pa.Array, pa.Array | None]:
    """The positive class's probabilities, and the text of what holds none."""
    if set(map(type, given)) <= {float, int, type(None)}:
        return _numeric(given)[0], None
    other = spellings(schema.classes)
    place = schema.classes.index(schema.positive_class) if schema.positive_class in schema.classes else 1
    negative = _negative(schema)

    def score(row: Any) -> float | None:
        if isinstance(row, dict):
            named = {other.get(name, name): value for name, value in row.items()}
            if schema.positive_class in named:
                return amount(named[schema.positive_class])
            rest = amount(named.get(negative))
            return None if rest is None else 1.0 - rest
        if isinstance(row, list):
            if len(row) == 1:
                return amount(row[0])
            return amount(row[place]) if len(row) == 2 else None
        return amount(row)

    return _fitted(given, score)


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
                if column is not None and (number := amount(value)) is not None:
                    column[row] = number
    found = {f"p:{name}": float_array(values, ~np.isnan(values)) for name, values in columns.items()}
    whole = (
        np.all([~np.isnan(values) for values in columns.values()], axis=0).tolist() if columns else [True] * len(given)
    )
    odd = _odd(given, [True if full else None for full in whole])
    return found if odd is None else found | {UNREAD: odd}


def _loose_probabilities(given: Values) -> dict[str, pa.Array]:
    if set(map(type, given)) <= {float, int, type(None)}:
        return {"score": _numeric(given)[0]}
    found: dict[str, list[float | None]] = {}
    for place, row in enumerate(given):
        items = row.items() if isinstance(row, dict) else enumerate(row) if isinstance(row, list) else ()
        prefix = "p:" if isinstance(row, dict) else "list:"
        for name, value in items:
            found.setdefault(f"{prefix}{name}", [None] * len(given))[place] = amount(value)
    return {name: _numeric(values)[0] for name, values in sorted(found.items(), key=_by_place)}


def _by_place(column: tuple[str, Any]) -> tuple[int, str]:
    """Numbers of a list's places by value."""
    name = column[0]
    return (int(name[5:]), "") if name.startswith("list:") else (-1, name)
