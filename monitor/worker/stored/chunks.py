"""Chunks: predictions as they are stored, each inside one bucket of one window.

Codec `arrow-zstd/1` is a frame as an Arrow IPC stream with zstd-compressed buffers
(https://arrow.apache.org/docs/format/Columnar.html). Rows that come before the model has a schema keep the codec they
arrived in, `msgpack-columns/1`, so that a reference built later finds them as they were.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks.data.arrow import float_array, string_array
from checks.data.canonical_text import read_number, text
from checks.data.frame_payload import from_payload
from checks.data.schema import Schema
from checks.profile import Binning, CategoryBins, NumberBins
from monitor.store.buckets import grain

CHUNK_CODEC = "arrow-zstd/1"
BATCH_CODEC = "msgpack-columns/1"
_COLUMNS = ("id", "time", "prediction")
_OPTIONAL = ("probabilities", "latency", "version", "tags")

Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class DamagedBatch(Exception):
    """A stored payload that can't be read: its codec is unknown or its bytes are."""


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """Predictions as they came: their columns and, row by row, where they stand in the log and in event time."""

    payload: dict[str, Any]
    size: int
    """Bytes that they arrived in."""
    frame: pa.Table
    times: Floats
    hashes: Hashes
    seqs: Ints
    received: Floats
    windows: Ints
    buckets: Ints
    versions: Ints
    """Places in `names`."""
    names: Sequence[str | None]
    """Versions of the model; None: rows of several, which share chunks."""

    def __len__(self) -> int:
        return len(self.seqs)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of one bucket and, if there are not too many, one version of the model, in the order in which they came."""

    window: int
    """Counted from the epoch, as the bucket is."""
    bucket: int
    version: str | None
    rows: Ints
    duplicates: int
    """Rows of the bucket that are not kept."""


def encode(frame: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    with pa.ipc.new_stream(sink, frame.schema, options=options) as writer:
        writer.write_table(frame.combine_chunks())
    return bytes(sink.getvalue())


def encode_rows(payload: dict[str, Any], rows: Ints) -> bytes:
    """These rows of a batch, in the codec of a batch."""
    places = rows.tolist()

    def some(values: list[Any] | None) -> list[Any] | None:
        return None if values is None else [values[place] for place in places]

    columns: dict[str, Any] = {name: some(payload.get(name)) for name in (*_COLUMNS, *_OPTIONAL)}
    columns["features"] = {name: some(values) for name, values in payload["features"].items()}
    return msgspec.msgpack.encode(columns)


def decode(payload: bytes, codec: str, schema: Schema | None, columns: Container[str] | None = None) -> pa.Table:
    """A stored chunk's frame; of `columns` only those that it has. Raises DamagedBatch."""
    if codec == BATCH_CODEC:
        frame = from_payload(read_batch(payload, codec), schema)
        return frame if columns is None else frame.select([name for name in frame.column_names if name in columns])
    if codec != CHUNK_CODEC:
        raise DamagedBatch(f"a chunk is stored as {codec!r}, which this version can't read; upgrade Watchkeeper")
    try:
        if columns is None:
            return pa.ipc.open_stream(payload).read_all()
        names = pa.ipc.open_stream(payload).schema.names
        wanted = [index for index, name in enumerate(names) if name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=wanted, use_threads=False)
        return pa.ipc.open_stream(payload, options=options).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedBatch(f"a stored chunk can't be read ({error}); restore the database from a backup") from error


def read_batch(payload: bytes, codec: str) -> dict[str, Any]:
    """The columns of an arrival as the daemon wrote them. Raises DamagedBatch."""
    if codec != BATCH_CODEC:
        raise DamagedBatch(f"a batch is stored as {codec!r}, which this version can't read; upgrade Watchkeeper")
    try:
        batch: dict[str, Any] = msgspec.msgpack.decode(payload, type=dict)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:  # bad UTF-8, a list as a key
        raise DamagedBatch(f"a stored batch can't be read ({error}); restore the database from a backup") from error
    return batch


FARTHEST = 1e12
"""Seconds from the epoch beyond which a time is damage, not data."""
Scalar = str | bool | int | float


class ChunkPredictions(TypedDict):
    """The columns of a batch of predictions."""

    id: list[str]
    time: list[float]
    features: dict[str, list[Scalar | None]]
    prediction: list[Scalar]
    probabilities: list[dict[str, float] | list[float] | float | None] | None
    latency: list[float | None] | None
    version: list[str | None] | None
    tags: list[dict[str, str] | None] | None


class ChunkLabels(TypedDict):
    """The columns of a batch of labels."""

    id: list[str]
    label: list[Scalar | None]
    time: list[float]


def read_arrival(kind: str, payload: bytes, codec: str, rows: int) -> dict[str, Any]:
    """The columns of an arrival that is looked at for the first time: each must have a value for each of the rows.
    Raises DamagedBatch."""
    batch = read_batch(payload, codec)
    try:
        msgspec.convert(batch, ChunkPredictions if kind == "predictions" else ChunkLabels)
    except msgspec.ValidationError as error:
        raise DamagedBatch(f"its columns are not those of {kind} ({error})") from error
    columns = [*(batch.get("features") or {}).values(), *(value for value in batch.values() if isinstance(value, list))]
    if any(len(column) != rows for column in columns):
        raise DamagedBatch(f"its columns are not all of {rows} rows")
    if not all(abs(time) <= FARTHEST for time in batch["time"]):
        raise DamagedBatch("it holds a time that no clock shows")
    return batch


def joined(batches: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several batches of predictions as one, rows in order; a feature that a batch lacks is None in its rows."""
    if len(batches) == 1:
        return batches[0]
    whole: dict[str, Any] = {name: [] for name in _COLUMNS}
    features: dict[str, list[Any]] = {}
    optional = [name for name in _OPTIONAL if any(batch.get(name) is not None for batch in batches)]
    whole.update({name: [] for name in optional})
    rows = 0
    for batch in batches:
        n = len(batch["id"])
        for name in _COLUMNS:
            whole[name] += batch[name]
        for name in optional:
            given = batch.get(name)
            whole[name] += [None] * n if given is None else given
        for name, values in batch["features"].items():
            column = features.setdefault(name, [])
            if len(column) < rows:
                column.extend([None] * (rows - len(column)))
            column += values
        rows += n
    for column in features.values():
        column.extend([None] * (rows - len(column)))
    return {**dict.fromkeys(_OPTIONAL), **whole, "features": features}


def window_indices(times: Floats, every: float) -> Ints:
    """Which window each time is in, counted from the epoch; the same as `window_of`'s."""
    return np.floor(times / every).astype(np.int64)


def bucket_indices(times: Floats, windows: Ints, every: float) -> Ints:
    """Which bucket each time is in, counted from the epoch; always one of its window's, however `times` round."""
    each = round(every / grain(every))
    found = np.floor(times / grain(every)).astype(np.int64)
    return np.clip(found, windows * each, windows * each + each - 1)


def split(rows: ChunkRows, kept: Bools, limit: int) -> Iterator[Chunk]:
    """The rows that are kept as chunks of one bucket and version each, of at most `limit` rows, oldest first. Dropped
    rows are counted in the first chunk of their bucket."""
    for bucket in np.unique(rows.buckets).tolist():
        inside = rows.buckets == bucket
        left = int(np.count_nonzero(inside & ~kept))
        window = int(rows.windows[np.argmax(inside)])
        for place, name in enumerate(rows.names):
            chosen = np.flatnonzero(inside & kept & (rows.versions == place))
            for start in range(0, len(chosen), limit):
                yield Chunk(window, bucket, name, chosen[start : start + limit], left)
                left = 0


def fitted(frame: pa.Table, binning: Binning) -> pa.Table:
    """The frame with columns as this binning's numbers and texts: an earlier schema may have taken them otherwise."""
    for name, bins in binning.columns.items():
        if name not in frame.column_names:
            continue
        place, kind = frame.column_names.index(name), frame.schema.field(name).type
        if isinstance(bins, NumberBins) and pa.types.is_string(kind):
            texts = frame[name].to_pylist()
            numbers = [read_number(value) for value in texts]
            odd = [value if number is None else None for value, number in zip(texts, numbers, strict=True)]
            present = np.array([number is not None for number in numbers], np.bool_)
            frame = frame.set_column(place, name, float_array(np.array(numbers, np.float64), present))
            if name.startswith("f:") and f"m:{name[2:]}" not in frame.column_names:
                frame = frame.append_column(f"m:{name[2:]}", string_array(odd))
        elif isinstance(bins, CategoryBins) and pa.types.is_floating(kind):
            texts = [None if value is None or value != value else text(value) for value in frame[name].to_pylist()]
            frame = frame.set_column(place, name, string_array(texts))
    return frame
