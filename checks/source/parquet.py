"""Parquet files, row group by row group."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from checks.data.arrow import is_text


class ParquetSource:
    """A Parquet file; texts are read as places in a list of texts, as most files store them."""

    def __init__(self, path: str | Path) -> None:
        """Raises OSError and pa.ArrowException."""
        self._path, self._own = str(path), threading.local()
        with pq.ParquetFile(self._path) as file:
            self._metadata, kinds = file.metadata, file.schema_arrow
        self._texts = [field.name for field in kinds if is_text(field.type)]
        schema = self._file().schema_arrow
        self._coded = [name for name in _categories(schema) if not is_text(schema.field(name).type)]
        for name in self._coded:
            place = schema.get_field_index(name)
            schema = schema.set(place, pa.field(name, pa.dictionary(pa.int32(), schema.field(name).type)))
        self.schema = schema
        self.parts = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        table = self._file().read_row_group(part, columns=list(names), use_threads=False).select(list(names))
        for name in self._coded:
            if (place := table.schema.get_field_index(name)) >= 0:
                table = table.set_column(place, self.schema.field(name), table[name].dictionary_encode())
        return table

    def _file(self) -> pq.ParquetFile:
        """A file of the thread's own: one is not to be read from two threads at once."""
        if not hasattr(self._own, "file"):
            self._own.file = pq.ParquetFile(
                self._path, metadata=self._metadata, read_dictionary=self._texts, memory_map=False
            )
        file: pq.ParquetFile = self._own.file
        return file


def _categories(schema: pa.Schema) -> list[str]:
    """The columns that were categories in pandas: of numbers Parquet itself keeps the values alone."""
    try:
        said = msgspec.json.decode((schema.metadata or {}).get(b"pandas", b"{}"))
        found = [column["field_name"] for column in said["columns"] if column["pandas_type"] == "categorical"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return []
    return [name for name in found if schema.names.count(name) == 1]
