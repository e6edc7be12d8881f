"""Parquet files, row group by row group."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

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
        self.schema = self._file().schema_arrow
        self.parts = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        return self._file().read_row_group(part, columns=list(names), use_threads=False).select(list(names))

    def _file(self) -> pq.ParquetFile:
        """A file of the thread's own: one is not to be read from two threads at once."""
        if not hasattr(self._own, "file"):
            self._own.file = pq.ParquetFile(
                self._path, metadata=self._metadata, read_dictionary=self._texts, memory_map=False
            )
        file: pq.ParquetFile = self._own.file
        return file
