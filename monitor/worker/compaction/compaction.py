"""The arrival log, from its oldest batch on, becomes chunks, profiles and placed labels.

The log is worked through in portions of a few megabytes, outside any transaction;
`monitor.worker.compaction.commit` writes them. One id is one prediction within `ModelOptions.horizon`: of rows with the
same id whose windows are that near, the first to arrive stays. What is decided for a row depends on the log alone, not
on how it was portioned.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, Row, func, select

from checks.data.arrow import floats, int_array
from checks.data.frame_payload import from_payload
from checks.data.ids import hash_ids
from checks.profile import profile
from monitor.store.buckets import grain
from monitor.store.tables import arrivals, progress, windows
from monitor.worker.compaction.commit import CommitPortion, CommitStore, Stored
from monitor.worker.messages import CompactionResult, ModelOptions
from monitor.worker.stored import model_versions
from monitor.worker.stored.chunks import (
    BATCH_CODEC,
    CHUNK_CODEC,
    Bools,
    Chunk,
    ChunkRows,
    DamagedBatch,
    bucket_indices,
    encode,
    encode_rows,
    joined,
    read_arrival,
    read_batch,
    split,
    window_indices,
)
from monitor.worker.stored.id_index import NOWHERE, IdIndex, first_in_reach
from monitor.worker.stored.label_join import LabelJoin, WaitingLabels, read_labels, task_schema, truths, windows_of
from monitor.worker.stored.profiles import PROFILE_CODEC, WHOLE, stored, told_apart
from monitor.worker.stored.references import StoredReference, newest, per_version
from monitor.worker.stored.segments import load

log = logging.getLogger("watchkeeper.compaction")

PORTION_BYTES = 4 << 20
PORTION_ROWS = 1 << 16
PORTION_ARRIVALS = 20_000
Decoded = tuple[Row[Any], dict[str, Any]]
"""An arrival and its columns."""
NONE = LabelJoin(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))


class Compaction:
    """One run for one model."""

    def __init__(self, engine: Engine, model: str, options: ModelOptions) -> None:
        self._engine, self._model, self._options = engine, model, options
        self._reach = math.ceil(options.horizon / options.every)
        self._counts = dict.fromkeys(CompactionResult.__dataclass_fields__, 0)

    def run(self, upto_seq: int) -> CompactionResult:
        """Works the log through up to `upto_seq`, or to where the daemon has scanned it for closings."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(progress.c.compacted_seq, progress.c.scanned_seq).where(progress.c.model == self._model)
            ).one_or_none()
            if row is None:
                return CompactionResult()
            upto = min(upto_seq, row.scanned_seq)
            closes = windows.c.close_seq
            inside = (windows.c.model == self._model, closes > row.compacted_seq, closes < upto)
            cuts = connection.scalars(select(closes).where(*inside).distinct().order_by(closes)).all()
            self._reference = newest(connection, self._model)
            self._of_version = per_version(connection, self._model)
            known = self._of_version.values() if self._of_version is not None else [self._reference]
            self._dimensions = {
                one.number: [
                    part.segmentation.dimension for part in load(connection, one, self._options) if part.segmentation
                ]
                for one in known
                if one is not None
            }
        self._schema = self._reference.reference.schema if self._reference else None
        self._store = CommitStore(self._engine, self._model, row.compacted_seq)
        self._store.remove_unfinished()
        self._ids = IdIndex(self._engine, self._model, self._options.every)
        self._waiting = WaitingLabels(self._engine, self._model)
        for end in (*cuts, upto):
            while self._store.seq < end:
                self._compact(end)
        return CompactionResult(**{**self._counts, "labels_waiting": len(self._waiting)})

    def _compact(self, end: int) -> None:
        """Compacts the next portion, at most up to the arrival `end`."""
        arrived, last = self._read(end)
        batches, damaged = _decoded(arrived)
        rows = self._rows([batch for batch in batches if batch[0].kind == "predictions"])
        made, fresh = ([], NONE) if rows is None else self._split(rows)
        found = self._waiting.take(fresh)
        labels = self._labels([batch for batch in batches if batch[0].kind == "labels"], fresh)
        every = self._options.every
        self._store.write(
            CommitPortion(
                last,
                chunks=[self._stored(chunk, rows) for chunk in made if rows is not None],
                labels=labels,
                found=[(id_, window * every) for id_, window in found],
                damaged=list(damaged),
            )
        )
        for seq, error in damaged.items():
            log.error("%s: arrival %d can't be read and is set aside in `arrivals`: %s", self._model, seq, error)
        self._counts["damaged"] += len(damaged)
        for window in sorted({chunk.window for chunk in made}):
            self._ids.add(window, fresh.hashes[fresh.windows == window])
        self._waiting.add(label["prediction_id"] for label in labels if label["window_start"] is None)
        self._counts["labels_placed"] += len(found)

    def _read(self, end: int) -> tuple[Sequence[Row[Any]], int]:
        """The next arrivals, at least one and else a few megabytes, and the position up to which they reach."""
        inside = (arrivals.c.model == self._model, arrivals.c.seq > self._store.seq, arrivals.c.seq <= end)
        with self._engine.connect() as connection:
            sizes = connection.execute(
                select(arrivals.c.seq, arrivals.c.n, func.length(arrivals.c.payload).label("size"))
                .where(*inside)
                .order_by(arrivals.c.seq)
                .limit(PORTION_ARRIVALS)
            ).all()
            last, rows, size = end, 0, 0
            for previous, item in zip([None, *sizes], sizes, strict=False):
                rows, size = rows + item.n, size + item.size
                if previous is not None and (rows > PORTION_ROWS or size > PORTION_BYTES):
                    last = previous.seq
                    break
            else:
                if len(sizes) == PORTION_ARRIVALS:
                    last = sizes[-1].seq
            query = select(arrivals).where(*inside, arrivals.c.seq <= last).order_by(arrivals.c.seq)
            return connection.execute(query).all(), last

    def _rows(self, decoded: Sequence[Decoded]) -> ChunkRows | None:
        if not decoded:
            return None
        batches = [batch for batch, _ in decoded]
        counts = [batch.n for batch in batches]
        payload = joined([columns for _, columns in decoded])
        frame = from_payload(payload, None if self._of_version is not None else self._schema)
        times, _ = floats(frame["time"])
        places = window_indices(times, self._options.every)
        codes, names = model_versions.codes(payload.get("version"), len(times))
        return ChunkRows(
            payload=payload,
            size=sum(len(batch.payload) for batch in batches),
            frame=frame,
            times=times,
            hashes=hash_ids(payload["id"]),
            seqs=np.repeat(np.array([batch.seq for batch in batches], np.int64), counts),
            received=np.repeat(np.array([batch.received_at for batch in batches]), counts),
            windows=places,
            buckets=bucket_indices(times, places, self._options.every),
            versions=codes,
            names=names,
        )

    def _split(self, rows: ChunkRows) -> tuple[list[Chunk], LabelJoin]:
        """The chunks of these rows, and where the rows are."""
        kept = self._kept(rows)
        self._counts["rows"] += int(np.count_nonzero(kept))
        self._counts["duplicates"] += int(np.count_nonzero(~kept))
        limit = max(1, int(len(rows) * PORTION_BYTES / max(rows.size, PORTION_BYTES)))
        return list(split(rows, kept, limit)), LabelJoin(rows.hashes[kept], rows.seqs[kept], rows.windows[kept])

    def _kept(self, rows: ChunkRows) -> Bools:
        known = self._ids.seen(rows.frame["id"], rows.hashes, rows.windows, self._reach)
        return first_in_reach(rows.frame["id"], rows.hashes, rows.windows, ~known, self._reach)

    def _labels(self, batches: Sequence[Decoded], fresh: LabelJoin) -> list[dict[str, Any]]:
        """The labels of these arrivals as rows, sorted by id so that neighbours in the index are written together."""
        found = read_labels([(batch.seq, batch.received_at, columns) for batch, columns in batches])
        if not found:
            return []
        self._counts["labels_read"] += len(found)
        found.sort(key=lambda label: (label.id, label.seq))
        seqs = np.array([label.seq for label in found], np.int64)
        placed = windows_of(hash_ids([label.id for label in found]), seqs, fresh, self._ids)
        known = int(np.count_nonzero(placed != NOWHERE))
        self._counts["labels_placed"] += known
        schema = task_schema(self._reference, self._options)
        if schema is not None:
            self._counts["labels_invalid"] += truths([label.value for label in found], schema).null_count
        return [
            {
                "model": self._model,
                "prediction_id": label.id,
                "seq": label.seq,
                "label": msgspec.json.encode(label.value).decode(),
                "time": label.time,
                "received_at": label.received_at,
                "window_start": None if window == NOWHERE else window * self._options.every,
            }
            for label, window in zip(found, placed.tolist(), strict=True)
        ]

    def _stored(self, chunk: Chunk, rows: ChunkRows) -> Stored:
        times = rows.times[chunk.rows]
        common = {
            "model": self._model,
            "bucket_start": chunk.bucket * grain(self._options.every),
            "seq": int(rows.seqs[chunk.rows].max()),
            "n": len(times),
        }
        values = {
            **common,
            "window_start": chunk.window * self._options.every,
            "t_min": float(times.min()),
            "t_max": float(times.max()),
            "version": chunk.version,
            "duplicates": chunk.duplicates,
            "received_at": float(rows.received[chunk.rows].max()),
            "id_hashes": np.sort(rows.hashes[chunk.rows]).astype("<u8").tobytes(),
        }
        reference = self._judge_of(chunk)
        if reference is None:
            return Stored({**values, "codec": BATCH_CODEC, "payload": encode_rows(rows.payload, chunk.rows)})
        frame = self._frame(chunk, rows, reference)
        binning = reference.reference.binning
        common |= {"binning_id": reference.id, "codec": PROFILE_CODEC}
        found = stored((WHOLE,), [profile(frame, binning)])
        for dimension in self._dimensions[reference.number]:
            found += stored(dimension.keys, told_apart(frame, binning, dimension))
        made = [{**common, **own} for own in found]
        return Stored({**values, "codec": CHUNK_CODEC, "payload": encode(frame)}, made)

    def _judge_of(self, chunk: Chunk) -> StoredReference | None:
        """The reference that the chunk's rows are likely to be held against."""
        if self._of_version is None:
            return self._reference
        return None if chunk.version is None else self._of_version.get(chunk.version)

    def _frame(self, chunk: Chunk, rows: ChunkRows, reference: StoredReference) -> pa.Table:
        if self._of_version is not None:
            # What the versions' schemas say of a column may differ.
            payload = read_batch(encode_rows(rows.payload, chunk.rows), BATCH_CODEC)
            return from_payload(payload, reference.reference.schema)
        return rows.frame if len(chunk.rows) == len(rows) else rows.frame.take(int_array(chunk.rows))


def _decoded(batches: Sequence[Row[Any]]) -> tuple[list[Decoded], dict[int, DamagedBatch]]:
    """The arrivals that can be read, and by position why the others can't. One that can't must not keep the model from
    being watched."""
    decoded, damaged = [], {}
    for batch in batches:
        try:
            decoded.append((batch, read_arrival(batch.kind, batch.payload, batch.codec, batch.n)))
        except DamagedBatch as error:
            damaged[batch.seq] = error
    return decoded, damaged
