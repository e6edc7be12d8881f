"""Files and frames as sources, and a column of theirs as one of a frame: whole, or profiled part by part."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa

from checks.data.arrow import floats, is_text
from checks.data.datetime_parts import part_columns
from checks.data.frame import as_text, as_time
from checks.data.number_text import is_marked, numbers_of, numbers_of_text
from checks.data.schema import FeatureType, SchemaError
from checks.profile.binning import Bins
from checks.profile.summary import Column, column_of, merged
from checks.source.base import Source
from checks.source.columns import by_columns, read_columns
from checks.source.memory import TableSource, exported, of_objects
from checks.source.opening import open_source


@contextmanager
def opened(data: Any) -> Iterator[Source]:
    """A file by its path, a frame or table, or what is a source already, as a source of columns. Raises SchemaError for
    anything else, OSError and pa.ArrowException for a file that can't be read."""
    if isinstance(data, str | Path):
        with by_columns(open_source(data)) as source:
            yield source
    elif hasattr(data, "parts") and hasattr(data, "read"):
        yield data
    else:
        yield TableSource(as_table(data))


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column of a source."""

    source: Source
    name: str
    kind: FeatureType

    @property
    def rows(self) -> int:
        return sum(self.source.parts)

    @property
    def type(self) -> pa.DataType:
        return self.source.schema.field(self.name).type

    @property
    def held(self) -> str:
        """The kind of values that the column holds, for people."""
        field = self.source.schema.field(self.name)
        return "numbers" if is_marked(field) else _held(field.type)

    def whole(self) -> dict[str, pa.Array]:
        """All its rows at once, as `frame_columns`."""
        return frame_columns(read_columns(self.source, [self.name])[self.name], self.name, self.kind)

    def profiled(self, part: str, bins: Bins) -> Column:
        """The profile of what is watched under the name `part`, with one part of the rows in memory at a time."""
        return reduce(merged, (self._profiled(at, part, bins) for at in range(len(self.source.parts))))

    def mismatched(self) -> tuple[int, int, str]:
        """Return how many cells are of another type than numbers, of how many that hold something, and one of them."""
        column = read_columns(self.source, [self.name])[self.name]
        odd = self._odd(column)
        first = "" if odd is None else odd.drop_null()[0].as_py()
        return 0 if odd is None else len(odd) - odd.null_count, len(column) - column.null_count, first

    def _profiled(self, at: int, part: str, bins: Bins) -> Column:
        column = self.source.read(at, [self.name])[self.name]
        odd = self._odd(column)
        values = frame_columns(column, self.name, self.kind)[part]
        return column_of(values, bins, 0 if odd is None else len(odd) - odd.null_count)

    def _odd(self, column: pa.ChunkedArray) -> pa.Array | None:
        return numbers_of_text(column)[1] if self.kind == "numeric" and is_text(column.type) else None


def as_table(data: Any) -> pa.Table:
    """An Arrow table, or a frame of pandas, polars or another library that exports Arrow columns, as a table. A pandas
    column of objects that are not all of one type becomes text. Raises SchemaError for anything else."""
    if isinstance(data, pa.Table):
        return data
    pandas = sys.modules.get("pandas")  # a frame of it can't be there without it
    if pandas is not None and isinstance(data, pandas.DataFrame):
        found = [of_objects(data.iloc[:, place], str(name)) for place, name in enumerate(data.columns)]
        return pa.Table.from_arrays([column for column, _ in found], schema=pa.schema([field for _, field in found]))
    if hasattr(data, "__arrow_c_stream__"):
        return exported(data)
    raise SchemaError(f"a {type(data).__name__} is no table; give a frame of pandas, polars or Arrow")


def frame_columns(column: pa.ChunkedArray, name: str, kind: FeatureType) -> dict[str, pa.Array]:
    """A table's column as profiles take it, by the name that it is watched under; a time as its parts. Raises
    SchemaError, or pa.ArrowException for what can't be read as this kind."""
    if kind == "numeric":
        return {name: numbers_of(column)}
    if kind == "datetime":
        parts = part_columns(*floats(as_time(column, name)))
        return {f"{name}.{part}": values for part, values in parts.items()}
    return {name: as_text(column, {"1": "true", "0": "false"} if kind == "boolean" else None)}


def _held(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    if pa.types.is_boolean(kind):
        return "true and false"
    return "texts" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else str(kind).partition("[")[0]
