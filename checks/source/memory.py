"""Frames that are in memory already: Arrow, pandas, polars and what else exports Arrow's stream of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from checks.data.canonical_text import text
from checks.data.number_text import are_numbers, mark


class TableSource:
    """An Arrow table, as it is."""

    def __init__(self, table: pa.Table, notes: tuple[str, ...] = ()) -> None:
        self._table, self.schema, self.parts = table, table.schema, (table.num_rows,)
        self.notes = notes
        """What had to be found out about the file that it was read from (`Stream.notes`)."""

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        return self._table.select(list(names))


def exported(frame: Any) -> pa.Table:
    """The columns that polars or another library exports, with texts as Arrow's functions take them: of the views that
    polars has, many can't be cast or counted."""
    table = pa.table(frame)
    for place, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type):
            table = table.set_column(place, field.name, table[field.name].cast(pa.string()))
        elif pa.types.is_dictionary(field.type) and pa.types.is_string_view(field.type.value_type):
            chunks = [
                pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.string()))
                for chunk in table[field.name].chunks
            ]
            kind = pa.dictionary(field.type.index_type, pa.string())
            table = table.set_column(place, field.name, pa.chunked_array(chunks, kind))
    return table


class PandasSource:
    """A pandas frame: numbers are taken as they are read, objects at once (`of_objects`)."""

    def __init__(self, frame: Any) -> None:
        self._frame, self.parts = frame.set_axis([str(name) for name in frame.columns], axis=1), (len(frame),)
        self._objects = {
            name: of_objects(self._frame[name], name) for name, kind in self._frame.dtypes.items() if kind.kind == "O"
        }
        self.schema = pa.schema([self._field(name) for name in self._frame.columns])

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        columns = [self._column(name, len(self._frame)) for name in names]
        return pa.Table.from_arrays(columns, schema=pa.schema([self.schema.field(name) for name in names]))

    def _field(self, name: str) -> pa.Field:
        return self._objects[name][1] if name in self._objects else pa.field(name, self._column(name, 0).type)

    def _column(self, name: str, rows: int) -> pa.Array | pa.ChunkedArray:
        if name in self._objects:
            return self._objects[name][0].slice(0, rows)
        return pa.array(self._frame[name].iloc[:rows], from_pandas=True)


def of_objects(column: Any, name: str) -> tuple[pa.Array | pa.ChunkedArray, pa.Field]:
    """Return a pandas column of any kind, and its field. Objects that are not all of one type become text, each value
    in its
    one spelling; where nearly all are numbers the field says so (`checks.data.number_text`)."""
    try:
        found = pa.array(column, from_pandas=True)
        return found, pa.field(name, found.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return mixed([None if gone else value for value, gone in zip(column, column.isna(), strict=True)], name)


def mixed(values: Sequence[Any], name: str) -> tuple[pa.Array, pa.Field]:
    """Return values of several types as texts, and their field."""
    texts = pa.array([None if value is None else text(value) for value in values], pa.string())
    held = [value for value in values if value is not None]
    numbers = {value for value in held if isinstance(value, int | float) and not isinstance(value, bool)}
    count = sum(isinstance(value, int | float) and not isinstance(value, bool) for value in held)
    few = len(numbers) if all(float(value).is_integer() for value in numbers) else None
    field = pa.field(name, pa.string())
    return texts, mark(field) if are_numbers(count, len(held) - count, few) else field
