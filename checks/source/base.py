"""What a source is: parts of rows, of which any columns can be read alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa
import pyarrow.ipc

BLOCK_BYTES = 32 << 20
"""What a block of rows and columns takes at most, as far as it can be chosen."""
WIDTH = 8
"""Bytes of a value, about."""


class Source(Protocol):
    """A table in parts (row groups, record batches); reading one column of one part costs that column alone.

    `read` may be called from several threads. Both may raise pa.ArrowException and OSError for damaged data.
    """

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def parts(self) -> Sequence[int]:
        """The rows of each part."""
        ...

    def read(self, part: int, names: Sequence[str]) -> pa.Table:
        """These columns of one part, in this order."""
        ...


class Stream(ABC):
    """A table that can only be read from its start to its end, all columns at once."""

    @property
    @abstractmethod
    def schema(self) -> pa.Schema: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """The decisions on how the file is read, one sentence each."""
        return ()

    @abstractmethod
    def batches(self) -> Iterator[pa.Table]:
        """Its rows in order, in pieces of some megabytes; each call starts anew."""

    def write(self, path: str) -> None:
        """Write all rows into an Arrow file."""
        with pa.ipc.new_file(path, self.schema) as writer:
            for batch in self.batches():
                writer.write_table(batch)


def grouped(names: Sequence[str], rows: int, limit: int = BLOCK_BYTES) -> list[Sequence[str]]:
    """The columns in groups that take about `limit` bytes with so many rows.

    >>> grouped(["a", "b", "c"], 1_000, 16_000)
    [['a', 'b'], ['c']]
    """
    width = max(1, limit // max(rows * WIDTH, 1))
    return [names[start : start + width] for start in range(0, len(names), width)]
