"""Frames that are in memory already: Arrow, pandas, polars and what else exports Arrow's stream of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from checks.data.canonical_text import text


class TableSource:
    """An Arrow table, as it is."""

    def __init__(self, table: pa.Table) -> None:
        self._table, self.schema, self.parts = table, table.schema, (table.num_rows,)

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
    """A pandas frame: numbers are taken as they are read, objects at once.

    A column of objects that are not all of one type becomes text, each value in its one spelling; where numbers are
    expected, what is no number is then told apart.
    """

    def __init__(self, frame: Any) -> None:
        self._frame, self.parts = frame.set_axis([str(name) for name in frame.columns], axis=1), (len(frame),)
        self._objects = {
            name: _of_objects(self._frame[name]) for name, kind in self._frame.dtypes.items() if kind.kind == "O"
        }
        fields = [(name, self._column(name, 0).type) for name in self._frame.columns]
        self.schema = pa.schema(fields)

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        return pa.table([self._column(name, len(self._frame)) for name in names], names=list(names))

    def _column(self, name: str, rows: int) -> pa.Array | pa.ChunkedArray:
        if name in self._objects:
            return self._objects[name].slice(0, rows)
        return pa.array(self._frame[name].iloc[:rows], from_pandas=True)


def _of_objects(column: Any) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        values = [None if gone else text(value) for value, gone in zip(column, column.isna(), strict=True)]
        return pa.array(values, pa.string())
