"""Frames of other libraries as Arrow tables, and a table's column as one of a frame."""

from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa

from checks.arrow import encoded, float_array, floats
from checks.frame import as_text, as_time
from checks.moment import part_columns
from checks.scalar import text
from checks.schema import FeatureType, SchemaError


class MixedTypes(Exception):
    """A column holds what is no number where numbers are expected; the message says how much of it, and gives one."""


def as_table(data: Any) -> pa.Table:
    """An Arrow table, or a frame of pandas, polars or another library that exports Arrow columns, as a table. A pandas
    column of objects that are not all of one type becomes text. Raises SchemaError for anything else."""
    if isinstance(data, pa.Table):
        return data
    pandas = sys.modules.get("pandas")  # a frame of it can't be there without it
    if pandas is not None and isinstance(data, pandas.DataFrame):
        columns = [_of_pandas(data.iloc[:, place]) for place in range(data.shape[1])]
        return pa.Table.from_arrays(columns, names=[str(name) for name in data.columns])
    if hasattr(data, "__arrow_c_stream__"):
        return _without_views(pa.table(data))
    raise SchemaError(f"a {type(data).__name__} is no table; give a frame of pandas, polars or Arrow")


def _without_views(table: pa.Table) -> pa.Table:
    """With texts as Arrow's functions take them: of the views that polars exports, many can't be counted."""
    for place, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_string_view(kind):
            table = table.set_column(place, field.name, table[field.name].cast(pa.string()))
    return table


def _of_pandas(column: Any) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        values = [None if gone else text(value) for value, gone in zip(column, column.isna(), strict=True)]
        return pa.array(values, pa.string())


def frame_columns(column: pa.ChunkedArray, name: str, kind: FeatureType) -> dict[str, pa.Array]:
    """A table's column as profiles take it, by the name that it is watched under; a time as its parts. Raises
    MixedTypes, SchemaError, or pa.ArrowException for what can't be read as this kind."""
    if kind == "numeric":
        return {name: _numbers(column)}
    if kind == "datetime":
        parts = part_columns(*floats(as_time(column, name)))
        return {f"{name}.{part}": values for part, values in parts.items()}
    return {name: as_text(column, {"1": "true", "0": "false"} if kind == "boolean" else None)}


def _numbers(column: pa.ChunkedArray) -> pa.Array:
    try:
        return float_array(*floats(column))
    except pa.ArrowInvalid:
        pass
    codes, values = encoded(column)
    odd = {place: value for place, value in enumerate(values) if _odd(value)}
    rows = sum(int((codes == place).sum()) for place in odd)
    example = str(next(iter(odd.values())))[:40]
    what = f"{rows:,} of {len(codes):,} values are none, such as {example!r}"
    raise MixedTypes(f"holds numbers in the reference, and texts in the current data: {what}")


def _odd(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return value is not None
    return False
