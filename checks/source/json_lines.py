"""JSON lines: an object a line, each a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import string_array
from checks.data.canonical_text import text
from checks.data.number_text import CODES, are_numbers, mark
from checks.source.base import Stream
from checks.source.csv_bytes import raw

ROWS = 20_000
"""Rows of a piece."""
NUMBERS = {int, float}
_WIDE = 2**63
_TIMES = (pa.timestamp("us"), pa.timestamp("us", "UTC"))


class JsonLinesStream(Stream):
    """A file of JSON objects, one a line (also .gz, .bz2, .zst). Types hold for the whole file: texts that are all ISO
    times are times; numbers beside texts are texts, marked as numbers where nearly all are."""

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns and their types, found by looking through the file. Raises OSError, and pa.ArrowInvalid for a
        line that is no object."""
        found: dict[str, _Field] = {}
        for rows in self._pieces():
            names = dict.fromkeys(name for row in rows for name in row)
            for name in names:
                found.setdefault(name, _Field()).add([row.get(name) for row in rows])
        return pa.schema([field.made(name) for name, field in found.items()])

    def batches(self) -> Iterator[pa.Table]:
        schema = self.schema
        for rows in self._pieces():
            columns = [_array([row.get(field.name) for row in rows], field.type) for field in schema]
            yield pa.Table.from_arrays(columns, schema=schema)

    def _pieces(self) -> Iterator[list[dict[str, Any]]]:
        rows = self._rows()
        while piece := list(islice(rows, ROWS)):
            yield piece

    def _rows(self) -> Iterator[dict[str, Any]]:
        decoder = msgspec.json.Decoder(dict[str, Any])
        for number, line in enumerate(self._lines(), 1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                raise pa.ArrowInvalid(f"line {number:,} is no JSON object: {error}") from error

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        with raw(self._path) as stream:
            while data := stream.read(1 << 20):
                *lines, rest = (rest + data).split(b"\n")
                yield from lines
        yield rest


class _Field:
    """What the values of one key are, piece by piece."""

    def __init__(self) -> None:
        self.kinds: set[type] = set()
        self.numbers = self.others = 0
        self.wide = False
        """Whether some whole number needs more than 64 bits."""
        self.few: set[float] | None = set()
        self.times = list(_TIMES)

    def add(self, values: Sequence[Any]) -> None:
        held = [value for value in values if value is not None]
        self.kinds |= set(map(type, held))
        numbers = [value for value in held if type(value) in NUMBERS]
        self.numbers += len(numbers)
        self.wide |= not all(-_WIDE <= value < _WIDE for value in numbers if type(value) is int)
        self.others += len(held) - len(numbers)
        if self.few is not None:
            self.few.update(numbers)
            whole = all(_float(value).is_integer() for value in self.few)
            self.few = self.few if whole and len(self.few) <= CODES else None
        if self.times and self.kinds <= {str}:
            self.times = [kind for kind in self.times if _casts(held, kind)]

    def made(self, name: str) -> pa.Field:
        if not self.kinds:
            return pa.field(name, pa.null())
        if self.kinds <= NUMBERS:
            return pa.field(name, pa.int64() if self.kinds == {int} and not self.wide else pa.float64())
        if self.kinds == {bool}:
            return pa.field(name, pa.bool_())
        if self.kinds == {str}:
            return pa.field(name, self.times[0] if self.times else pa.string())
        if self.kinds & {list, dict}:
            return pa.field(name, pa.list_(pa.string()))
        field = pa.field(name, pa.string())
        count = len(self.few) if self.few is not None else None
        return mark(field) if are_numbers(self.numbers, self.others, count) else field


def _casts(values: Sequence[str], kind: pa.DataType) -> bool:
    try:
        pc.cast(string_array(values), kind)
    except pa.ArrowInvalid:
        return False
    return True


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind) or pa.types.is_timestamp(kind):
        return pc.cast(string_array([None if value is None else text(value) for value in values]), kind)
    if pa.types.is_list(kind):  # not watched: that it is a list says it all
        return pa.nulls(len(values), kind)
    if pa.types.is_floating(kind):
        return pa.array([None if value is None else _float(value) for value in values], kind)
    return pa.array(values, kind)


def _float(value: float) -> float:
    """Return the number as 64 bits hold it, as ingest does: Arrow refuses whole numbers beyond 2 ** 53 in a float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
