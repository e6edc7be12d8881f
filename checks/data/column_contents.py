"""What the columns of a table hold, as far as their role in a schema depends on it."""

from __future__ import annotations

import re
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import floats, is_number, is_text, whole
from checks.data.canonical_text import BOOLEANS, in_order
from checks.data.number_text import is_marked, numbers_of

MAX_CLASSES = 1_000
LOOKED_AT = 1_000  # values of which at least one is to be a time, where the config says that they are

ID_NAME = re.compile(
    r"(?i:(^|[_. -])(id|uid|uuid|guid|key|pk|index|idx))$|[a-z](Id|ID|Key|Uuid|UUID)$"
    r"|(?i:^unnamed: 0|^__index_level_0__|^)$"
)
"""Whole numbers of such a name are no amounts."""
ID_ROWS = 20  # fewer distinct values prove nothing
NEARLY = 0.99  # so large a share of distinct values is an id, too (some come twice),
NEARLY_ROWS = 1_000  # if there are so many


class ColumnReader(Protocol):
    """An Arrow table, or what reads its columns when they are asked for."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def column_names(self) -> list[str]: ...

    def __getitem__(self, name: str) -> pa.ChunkedArray: ...


class ColumnContents:
    """Answer questions about the columns of one table by their names."""

    def __init__(self, table: ColumnReader) -> None:
        self._table = table

    def kind(self, name: str) -> pa.DataType:
        """Return what the column holds; texts that a reader found to be numbers are numbers."""
        field = self._table.schema.field(name)
        kind = pa.float64() if is_marked(field) else field.type
        return kind.value_type if pa.types.is_dictionary(kind) else kind

    def is_coded(self, name: str) -> bool:
        """Return whether the column is places in a list of values: categories, even where these are numbers."""
        return bool(pa.types.is_dictionary(self._table.schema.field(name).type))

    def _values(self, name: str) -> pa.ChunkedArray | pa.Array:
        field = self._table.schema.field(name)
        return numbers_of(self._table[name]) if is_marked(field) else plain(self._table[name])

    def is_scalar(self, name: str) -> bool:
        return is_number(self.kind(name)) or is_text(self.kind(name)) or pa.types.is_boolean(self.kind(name))

    def is_id(self, name: str) -> bool:
        return is_text(self.kind(name)) or pa.types.is_integer(self.kind(name))

    def is_time(self, name: str) -> bool:
        kind = self.kind(name)
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return True
        if is_text(kind):
            first = whole(plain(self._table[name].drop_null().slice(0, 1)))
            return len(first) > 0 and _parses_as_time(first)
        if not is_number(kind):
            return False
        low, _ = self.range(name)
        return low is not None and low >= 1e8  # 1973 in seconds; smaller numbers are hours of a day and the like

    def is_moment(self, name: str) -> bool:
        kind = self.kind(name)
        return self.is_time(name) or is_number(kind)

    def holds_times(self, name: str) -> bool:
        """Return whether some of the first texts are times: the others are damage, which is the column's own error."""
        if not is_text(self.kind(name)):
            return False
        values = pc.unique(plain(self._table[name].drop_null().slice(0, LOOKED_AT)))
        return any(_parses_as_time(values.slice(place, 1)) for place in range(len(values)))

    def holds_numbers(self, name: str) -> bool:
        """Return whether some of the first texts are numbers: the others are of another type, which is counted."""
        if not is_text(self.kind(name)):
            return False
        return bool(numbers_of(self._table[name].drop_null().slice(0, LOOKED_AT)).drop_null())

    def holds_booleans(self, name: str) -> bool:
        """Return whether all texts write true or false."""
        if not is_text(self.kind(name)):
            return False
        column = self._table[name].drop_null()
        parts = (column.slice(0, LOOKED_AT), column)  # most columns show in their first values that they are others
        return len(column) > 0 and all(set(pc.unique(plain(part)).to_pylist()) <= BOOLEANS.keys() for part in parts)

    def is_probability(self, name: str) -> bool:
        if not is_number(self.kind(name)):
            return False
        low, high = self.range(name)
        return low is None or high is None or (low >= 0 and high <= 1)

    def range(self, name: str) -> tuple[float | None, float | None]:
        column = self._values(name)
        if pa.types.is_floating(column.type):
            column = column.filter(pc.is_finite(column))
        ends = pc.min_max(pc.cast(column, pa.float64(), safe=False)).as_py()
        return ends["min"], ends["max"]

    def values(self, name: str) -> list[str]:
        """Return the column's distinct values in their one spelling, in the order of `canonical_text.in_order`, at
        most a few more than MAX_CLASSES."""
        distinct = pc.unique(self._values(name)).drop_null().slice(0, MAX_CLASSES + 2)
        return list(in_order(distinct.to_pylist()))

    def is_whole(self, name: str) -> bool:
        if pa.types.is_integer(self.kind(name)):
            return True
        values, present = floats(self._values(name))
        values = values[present]
        return bool((values == values.round()).all())

    def id_reason(self, name: str) -> str:
        """Return why the column is an id; empty where it is none.

        Ids are texts, and whole numbers that are named like an id or count the rows, of which nearly each is another.
        """
        kind, column = self.kind(name), self._table[name]
        rows = len(column) - column.null_count
        if rows < ID_ROWS or not (is_text(kind) or pa.types.is_integer(kind)):
            return ""
        distinct = pc.count_distinct(plain(column)).as_py()
        every = distinct == rows
        if not (every or (rows >= NEARLY_ROWS and distinct >= NEARLY * rows)):
            return ""
        if pa.types.is_integer(kind) and not ID_NAME.search(name):
            low, high = self.range(name)
            if not (every and rows >= NEARLY_ROWS and low is not None and high is not None and high - low == rows - 1):
                return ""
        return f"an id: {'every value is' if every else 'nearly all values are'} different"


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(column, column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _parses_as_time(values: pa.Array) -> bool:
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            pc.cast(values, kind)
        except pa.ArrowInvalid:
            continue
        return True
    return False
