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

from checks.data.arrow import encoded, float_array, floats
from checks.data.canonical_text import text
from checks.data.datetime_parts import part_columns
from checks.data.frame import as_text, as_time
from checks.data.schema import FeatureType, SchemaError
from checks.profile.binning import Bins
from checks.profile.summary import Column, column_of, merged
from checks.source.base import Source
from checks.source.columns import by_columns, read_columns
from checks.source.memory import TableSource, exported
from checks.source.opening import open_source


class MixedTypes(Exception):
    """A column holds what is no number where numbers are expected; the message says how much of it, and gives one."""


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

    def whole(self) -> dict[str, pa.Array]:
        """All its rows at once, as `frame_columns`."""
        return frame_columns(read_columns(self.source, [self.name])[self.name], self.name, self.kind)

    def profiled(self, part: str, bins: Bins) -> Column:
        """The profile of what is watched under the name `part`, with one part of the rows in memory at a time."""
        try:
            return reduce(merged, (column_of(self._read(at)[part], bins) for at in range(len(self.source.parts))))
        except MixedTypes:
            self.whole()  # which says how many of all rows they are
            raise

    def _read(self, at: int) -> dict[str, pa.Array]:
        return frame_columns(self.source.read(at, [self.name])[self.name], self.name, self.kind)


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
        return exported(data)
    raise SchemaError(f"a {type(data).__name__} is no table; give a frame of pandas, polars or Arrow")


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
