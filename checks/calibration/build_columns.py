"""What a reference is built from: columns in memory, or such as are read when their turn comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

import pyarrow as pa

Values: TypeAlias = pa.Array | pa.ChunkedArray
Load = Callable[[], Mapping[str, Values | Exception]]


class ReferenceColumns(Protocol):
    """What a reference is built from: rows in frame columns (`checks.data.frame`), of which features may be read
    late."""

    @property
    def rows(self) -> int: ...

    @property
    def outcome(self) -> pa.Table:
        """The frame of all but features."""
        ...

    @property
    def features(self) -> Sequence[Load]:
        """Each gives the `f:` columns (and `m:`) of some features, or why one can't be read; from any thread."""
        ...


@dataclass(frozen=True)
class FrameColumns:
    """A frame in memory."""

    frame: pa.Table

    @property
    def rows(self) -> int:
        return int(self.frame.num_rows)

    @property
    def outcome(self) -> pa.Table:
        return self.frame.select([name for name in self.frame.column_names if name[:2] not in ("f:", "m:")])

    @property
    def features(self) -> Sequence[Load]:
        return [partial(self._column, name) for name in self.frame.column_names if name.startswith("f:")]

    def _column(self, name: str) -> Mapping[str, Values]:
        return {own: self.frame[own] for own in (name, f"m:{name[2:]}") if own in self.frame.column_names}
