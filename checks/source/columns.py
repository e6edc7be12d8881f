"""A reference's columns, read group by group."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from checks.calibration.build_columns import Load, Values
from checks.data.datetime_parts import part_names
from checks.data.frame import feature_columns
from checks.data.schema import FeatureType, Schema
from checks.source.base import Source, Stream, grouped
from checks.source.memory import TableSource
from checks.source.profiling import columns_of, outcome_of

KEPT = 4  # columns that schema inference looks at again


class SourceColumns:
    """A source as a reference is built from it (`checks.calibration.build_columns.ReferenceColumns`): outcome whole,
    features by groups."""

    def __init__(self, source: Source, schema: Schema) -> None:
        """Reads the outcome. Raises SchemaError for times that can't be read, OSError and pa.ArrowException."""
        outcome, features = columns_of(source.schema, schema)
        self.rows = sum(source.parts)
        self.outcome = outcome_of(read_columns(source, outcome), schema)
        groups = grouped(list(features), self.rows)
        self.features: Sequence[Load] = [partial(_features, source, group, features) for group in groups]


def _features(
    source: Source, names: Sequence[str], kinds: Mapping[str, FeatureType]
) -> Mapping[str, Values | Exception]:
    found: dict[str, Values | Exception] = {}
    try:
        table = read_columns(source, names)
    except Exception as error:  # noqa: BLE001 - the column's boundary: told as the column's own error
        if len(names) == 1:
            return _failed(names[0], kinds[names[0]], error)
        for name in names:
            found |= _features(source, [name], kinds)
        return found
    for name in names:
        try:
            found |= feature_columns(table[name], name, kinds[name])
        except Exception as error:  # noqa: BLE001 - the same
            found |= _failed(name, kinds[name], error)
    return found


def _failed(name: str, kind: FeatureType, error: Exception) -> Mapping[str, Values | Exception]:
    return dict.fromkeys([f"f:{own}" for own in (part_names(name) if kind == "datetime" else (name,))], error)


def read_columns(source: Source, names: Sequence[str]) -> pa.Table:
    """These columns of all rows."""
    if not names or not source.parts:
        return source.schema.empty_table().select(list(names))
    tables = [source.read(part, names) for part in range(len(source.parts))]
    return pa.concat_tables(tables).unify_dictionaries()


def read_stream(stream: Stream) -> pa.Table:
    """All of it."""
    return pa.concat_tables([stream.schema.empty_table(), *stream.batches()])


class LazyTable:
    """A source as schema inference looks at it: a table whose columns are read when they are asked for."""

    def __init__(self, source: Source) -> None:
        self._source, self.schema = source, source.schema
        self.column_names: list[str] = source.schema.names
        self.num_rows = sum(source.parts)
        self._kept: OrderedDict[str, pa.ChunkedArray] = OrderedDict()

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        if name not in self._kept:
            self._kept[name] = read_columns(self._source, [name])[name]
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[name]


@contextmanager
def by_columns(source: Source | Stream) -> Iterator[Source]:
    """The source, with columns that can be read alone: a stream is written to a temporary Arrow file, as large as its
    rows in memory, that is gone at the end."""
    if not isinstance(source, Stream):
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="watchkeeper-") as folder:
        path = str(Path(folder) / "rows.arrow")
        source.write(path)
        with pa.memory_map(path) as mapped:
            yield TableSource(pa.ipc.open_file(mapped).read_all(), source.notes)
