"""CSV files, block by block, with types that hold for the whole file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc

from checks.data.arrow import string_array
from checks.data.csv_options import NULLS, CsvOptions
from checks.data.number_text import mark
from checks.data.schema import SchemaError
from checks.source.base import Stream
from checks.source.csv_bytes import Utf8, encoding_of, first_odd_byte, legacy, raw
from checks.source.csv_head import Head, first_rows, head
from checks.source.text_cells import CellPlan, TextCells, decimal_of, patterns_of, plan_of

BLOCK = 8 << 20
HEAD = 1 << 20
"""Bytes that separator and header are found in."""
WIDER = {
    pa.int64(): pa.float64(),
    pa.timestamp("s"): pa.timestamp("ns"),
    pa.timestamp("s", "UTC"): pa.timestamp("ns", "UTC"),
}
"""What a column is taken for when a value does not fit; any other becomes text."""
EMPTY_FIRST = (pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("ns"), pa.timestamp("ns", "UTC"), pa.string())
"""What is tried one after the other for a column whose first megabytes are empty."""
_COLUMN = re.compile(r"In CSV column #(\d+): CSV conversion error")
_EMPTY = ("",)


@dataclass(frozen=True)
class Reading:
    """The decisions on how a file is read."""

    head: Head
    encoding: str
    decimal: str = "."
    types: dict[int, pa.DataType] = field(default_factory=dict)
    """Columns that Arrow does not get to choose the type of, by their place."""
    late: frozenset[int] = frozenset()
    """Columns whose first megabytes are empty, by their place."""
    plans: dict[int, CellPlan] = field(default_factory=dict)
    """Columns of texts, by their place."""
    kinds: tuple[pa.DataType, ...] = ()
    """What Arrow makes of every column."""


class _Anew(Exception):
    """The file is to be looked through again, by another reading."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading = reading


class CsvStream(Stream):
    """A file of separated values (also .gz, .bz2, .zst), read in pieces.

    Separator and header are found in the first megabyte; types and decimal mark hold for all rows: a later value that
    does not fit widens its column's type, and the file is looked through anew.
    """

    def __init__(self, path: str | Path, given: CsvOptions | None = None) -> None:
        self._path, self._given = str(path), given or CsvOptions()
        nulls = NULLS if self._given.nulls is None else self._given.nulls
        self._nulls, self._patterns = string_array(nulls), patterns_of(self._given)

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types, found by looking through the file. Raises OSError, pa.ArrowInvalid, and
        SchemaError for an encoding that is wrong."""
        return self._schema(self._reading)

    @property
    def notes(self) -> tuple[str, ...]:
        """The decisions on how the file is read, one sentence each."""
        reading = self._reading
        odd = "" if reading.encoding.startswith("utf") or self._given.encoding else first_odd_byte(self._path)
        encoding = reading.encoding + (f" (not utf-8: {odd})" if odd else "")
        separator = {"\t": "tab"}.get(reading.head.separator, repr(reading.head.separator))
        told = [f"read as CSV with separator {separator}, encoding {encoding}, decimal mark {reading.decimal!r}"]
        for place, plan in reading.plans.items():
            if plan.note:
                told.append(f"column {reading.head.names[place].strip()!r}: {plan.note}")
        return tuple(told)

    def batches(self) -> Iterator[pa.Table]:
        reading = self._reading
        with self._reader(reading) as (batches, _):
            for batch in batches:
                yield self._table(batch, reading)

    def write(self, path: str) -> None:
        """Write all rows into an Arrow file. What can be read as it comes is read once."""
        if "_reading" not in self.__dict__:
            self._reading = self._look_through(path)
            if all(_as_it_comes(plan) for plan in self._reading.plans.values()):
                return
        super().write(path)

    @cached_property
    def _reading(self) -> Reading:
        return self._look_through(None)

    def _look_through(self, to: str | None) -> Reading:
        reading = self._begun()
        while True:
            try:
                return self._passed(reading, to)
            except _Anew as other:
                reading = other.reading

    def _begun(self) -> Reading:
        with raw(self._path) as stream:
            data = stream.read(HEAD)
        encoding = self._given.encoding or encoding_of(data)
        if encoding == "utf-8" and not self._given.encoding and not _is_utf8(data):
            encoding = legacy(self._path)
        try:
            text = data.decode(encoding, "replace")
        except LookupError:
            raise SchemaError(f"there is no encoding {encoding!r}; write one such as utf-8 or cp1252") from None
        found = head(text, self._given.separator, len(data) < HEAD)
        if not found.names:
            raise pa.ArrowInvalid("Empty CSV file")
        return Reading(found, encoding, self._given.decimal or self._decimal_at_first(text, found))

    def _decimal_at_first(self, text: str, found: Head) -> str:
        """The decimal mark that the first rows show; all rows may show another."""
        columns = [TextCells(self._nulls, self._patterns) for _ in found.names]
        for own, values in zip(columns, zip(*first_rows(text, found), strict=True), strict=False):
            own.add(string_array(values))
        points = any(own.matches["plain."] > own.matches["whole"] for own in columns)
        return decimal_of(columns, self._given, found.separator, points)

    def _passed(self, reading: Reading, to: str | None) -> Reading:
        """Looks at all rows by this reading. Raises _Anew where they do not fit it."""
        with self._reader(reading) as (first, _):
            kinds = tuple(first.schema.types)
        reading = replace(reading, kinds=kinds)
        if other := {at: pa.string() for at, kind in enumerate(kinds) if pa.types.is_time(kind)}:
            raise _Anew(replace(reading, types=reading.types | other))
        if any(pa.types.is_binary(kind) for kind in kinds):
            raise _Anew(self._other_encoding(reading))
        texts = [at for at, kind in enumerate(kinds) if pa.types.is_string(kind)]
        cells = {at: TextCells(self._nulls, self._patterns) for at in texts}
        with self._reader(reading) as (batches, watch):  # anew: Arrow is twice as fast where types are stated
            self._count(batches, reading, cells, to)
        return self._judged(reading, cells, watch.zeros)

    def _count(
        self, batches: pa.csv.CSVStreamingReader, reading: Reading, cells: dict[int, TextCells], to: str | None
    ) -> None:
        plain = replace(reading, plans={at: CellPlan("text", _EMPTY if self._empty else ()) for at in cells})
        sink = None if to is None else pa.ipc.new_file(to, self._schema(plain))
        try:
            for batch in batches:
                for at, own in cells.items():
                    own.add(batch.column(at))
                if sink is not None:
                    sink.write_table(self._table(batch, plain))
        except pa.ArrowInvalid as error:
            raise _Anew(self._wider(reading, error)) from error
        finally:
            if sink is not None:
                sink.close()

    @property
    def _empty(self) -> bool:
        return self._given.nulls is None or "" in self._given.nulls

    def _wider(self, reading: Reading, error: pa.ArrowInvalid) -> Reading:
        found = _COLUMN.search(str(error))
        if found is None:
            raise error
        if "invalid UTF8" in str(error):
            return self._other_encoding(reading)
        at = int(found[1])
        kind = reading.kinds[at]
        if kind == pa.string():
            raise error
        if pa.types.is_null(kind):
            late = reading.late | {at}
            return replace(reading, types=reading.types | {at: EMPTY_FIRST[0]}, late=late)
        wider = EMPTY_FIRST[EMPTY_FIRST.index(kind) + 1] if at in reading.late else WIDER.get(kind, pa.string())
        return replace(reading, types=reading.types | {at: wider})

    def _other_encoding(self, reading: Reading) -> Reading:
        if self._given.encoding or not reading.encoding.startswith("utf-8"):
            raise SchemaError(
                f"{self._path} is not {reading.encoding} ({first_odd_byte(self._path) or 'odd bytes'}); "
                "state its encoding, such as cp1252"
            )
        return replace(self._begun(), encoding=legacy(self._path))

    def _judged(self, reading: Reading, cells: dict[int, TextCells], zeros: bool) -> Reading:
        """The reading with a plan for each column of texts. Raises _Anew where other columns must be texts first."""
        whole = {at: pa.string() for at, kind in enumerate(reading.kinds) if pa.types.is_integer(kind)}
        unseen = {at: kind for at, kind in whole.items() if at not in reading.types}
        if zeros and unseen:  # a cell begins with 0: codes, if it is one of theirs
            raise _Anew(replace(reading, types=reading.types | unseen))
        points = any(pa.types.is_floating(kind) for kind in reading.kinds) and reading.decimal == "."
        decimal = decimal_of(list(cells.values()), self._given, reading.head.separator, points)
        if decimal == "," and reading.decimal == ".":
            raise _Anew(replace(reading, decimal=decimal, types={}))
        padded = [name != name.strip() for name in reading.head.names]
        plans = {at: plan_of(own, self._given, reading.decimal, padded[at]) for at, own in cells.items()}
        return replace(reading, plans=plans)

    def _schema(self, reading: Reading) -> pa.Schema:
        fields = []
        for at, kind in enumerate(reading.kinds):
            plan = reading.plans.get(at)
            name = pa.field(reading.head.names[at].strip(), kind if plan is None else plan.type)
            fields.append(mark(name) if plan is not None and plan.kind == "odd" else name)
        return pa.schema([fields[at] for at in self._kept(reading)])

    def _kept(self, reading: Reading) -> Sequence[int]:
        """All columns but those without a name and without a value, which a separator at each line's end makes."""
        named = enumerate(zip(reading.head.names, reading.kinds, strict=True))
        return [at for at, (name, kind) in named if name.strip() or not pa.types.is_null(kind)]

    def _table(self, batch: pa.RecordBatch, reading: Reading) -> pa.Table:
        columns = [
            reading.plans[at].read(batch.column(at)) if at in reading.plans else batch.column(at)
            for at in self._kept(reading)
        ]
        return pa.Table.from_arrays(columns, schema=self._schema(reading))

    @contextmanager
    def _reader(self, reading: Reading) -> Iterator[tuple[pa.csv.CSVStreamingReader, Utf8]]:
        names = [str(at) for at in range(len(reading.head.names))]
        types = {str(at): kind for at, kind in (dict(enumerate(reading.kinds)) | reading.types).items()}
        with raw(self._path) as stream:
            watch = Utf8(stream, reading.encoding, reading.head.separator)
            yield (
                pa.csv.open_csv(
                    watch,
                    read_options=pa.csv.ReadOptions(
                        block_size=BLOCK, column_names=names, skip_rows=reading.head.skipped, skip_rows_after_names=1
                    ),
                    parse_options=pa.csv.ParseOptions(delimiter=reading.head.separator),
                    convert_options=pa.csv.ConvertOptions(
                        column_types=types, decimal_point=reading.decimal, null_values=self._nulls.to_pylist()
                    ),
                ),
                watch,
            )


def _as_it_comes(plan: CellPlan) -> bool:
    return plan.kind == "text" and not plan.padded and set(plan.nulls) <= set(_EMPTY)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.end == len(data) and error.reason == "unexpected end of data"
    return True
