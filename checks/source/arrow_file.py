"""Arrow's own files, record batch by record batch."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from checks.source.base import Stream


class ArrowFile:
    """An Arrow IPC file (also called Feather), mapped into memory; compressed columns are unpacked as they are read."""

    def __init__(self, path: str | Path) -> None:
        """Raises OSError, and pa.ArrowInvalid for what is no such file."""
        self._path, self._own = str(path), threading.local()
        with pa.memory_map(self._path) as source:
            file = pa.ipc.open_file(source)
            self.schema = file.schema
            self.parts = [file.get_batch(place).num_rows for place in range(file.num_record_batches)]

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        fields = [self.schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        with pa.memory_map(self._path) as source:
            batch = _sound(pa.ipc.open_file(source, options=options).get_batch(part))
        return pa.Table.from_batches([batch]).select(list(names))


class ArrowStream(Stream):
    """An Arrow IPC stream in a file."""

    def __init__(self, path: str | Path) -> None:
        """Raises OSError, and pa.ArrowInvalid for what is no stream."""
        self._path = str(path)
        with pa.memory_map(self._path) as source:
            self._schema = pa.ipc.open_stream(source).schema

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    def batches(self) -> Iterator[pa.Table]:
        with pa.memory_map(self._path) as source:
            for batch in pa.ipc.open_stream(source):
                yield pa.Table.from_batches([_sound(batch)])


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch, whose places in texts and lists of values Arrow takes from the file unseen: wrong ones end the
    process. Raises pa.ArrowInvalid."""
    batch.validate(full=True)
    return batch
