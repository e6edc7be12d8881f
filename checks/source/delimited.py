"""CSV files, block by block, with types that hold for the whole file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from checks.source.base import Stream

BLOCK = 8 << 20
WIDER = {pa.int64(): pa.float64()}
"""What a column is taken for when a value does not fit; any other becomes text."""
_COLUMN = re.compile(r"In CSV column #(\d+): CSV conversion error")


class CsvStream(Stream):
    """A CSV file (also .gz, .bz2, .zst), read in pieces.

    Types are inferred from the first megabytes; a later value that does not fit widens its column's type, and the file
    is looked through anew. So types are those of all rows, and no piece's.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)

    @cached_property
    def schema(self) -> pa.Schema:
        """Looks through the file. Raises OSError and pa.ArrowInvalid."""
        types: dict[str, pa.DataType] = {}
        while True:
            reader = self._reader(types)
            try:
                for _ in reader:
                    pass
                return reader.schema
            except pa.ArrowInvalid as error:
                found = _COLUMN.search(str(error))
                if found is None:
                    raise
                field = reader.schema.field(int(found[1]))
                if types.get(field.name) == pa.string():
                    raise
                types[field.name] = WIDER.get(field.type, pa.string()) if field.name not in types else pa.string()

    def batches(self) -> Iterator[pa.Table]:
        for batch in self._reader({field.name: field.type for field in self.schema}):
            yield pa.Table.from_batches([batch])

    def _reader(self, types: dict[str, pa.DataType]) -> pa.csv.CSVStreamingReader:
        return pa.csv.open_csv(
            self._path,
            read_options=pa.csv.ReadOptions(block_size=BLOCK),
            convert_options=pa.csv.ConvertOptions(column_types=types),
        )
