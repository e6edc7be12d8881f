"""The stream: what arrived, the windows that it fills, chunks of rows and their profiles, labels."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table, Text, text

from monitor.store.tables.base import RowId, metadata

arrivals = Table(
    "arrivals",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("kind", String(16), nullable=False),  # predictions | labels | damaged
    Column("received_at", Float, nullable=False),
    Column("t_min", Float, nullable=False),
    Column("t_max", Float, nullable=False),
    Column("n", Integer, nullable=False),
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("arrivals_model_seq", "model", "seq"),
    sqlite_autoincrement=True,
    comment="accepted batches as they came, until compacted (predictions) or placed (labels)",
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("received_at", Float, nullable=False, index=True),
    Column("reply", Text, nullable=False),
    comment="replies to batches already stored, by Idempotency-Key",
)

progress = Table(
    "progress",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("scanned_seq", BigInteger, nullable=False),  # watermark known up to here
    Column("newest_time", Float, nullable=True),  # newest event time up to scanned_seq
    Column("next_window", Float, nullable=True),  # start of the first window that has not closed
    Column("compacted_seq", BigInteger, nullable=False),  # predictions and labels up to here left `arrivals`
    Column("judged_window", Float, nullable=True),  # end of the last closed window whose verdict is recorded
    Column("every", Float, nullable=True),  # seconds of a window: all that is stored of the model goes by it
    Column("unprofiled", Integer, nullable=True),  # chunks without a profile under the newest binning, as last counted
    comment="how far each model's arrival log has been worked through",
)

windows = Table(
    "windows",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("start", Float, primary_key=True),
    Column("end", Float, nullable=False),
    Column("close_seq", BigInteger, nullable=False),  # the arrival that moved the watermark past `end`
    Column("mature_at", Float, nullable=True),  # event time at which its performance stopped being provisional
    Column("reference_id", BigInteger, nullable=True),  # what it was judged by; null without a reference
    Column("version", String(200), nullable=True),  # whose rows were judged; null where versions are not told apart
    Index("windows_model_end", "model", "end"),
    comment="closed windows and the position in the arrival log at which each closed",
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("seq", BigInteger, nullable=False),  # last arrival inside
    Column("window_start", Float, nullable=False),
    Column("bucket_start", Float, nullable=False),  # of the shortest span that is asked for (monitor.store.buckets)
    Column("t_min", Float, nullable=False),
    Column("t_max", Float, nullable=False),
    Column("version", String(200), nullable=True),  # of the model, in all rows ('': none given); null if mixed
    Column("n", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),  # rows dropped because their id was here already
    Column("received_at", Float, nullable=False),
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("id_hashes", LargeBinary, nullable=False),  # sorted 64-bit hashes: the locator of late labels
    Index("chunks_model_window", "model", "window_start", "seq", "bucket_start"),
    Index("chunks_model_time", "model", "t_max"),
    sqlite_autoincrement=True,
    comment="compacted predictions, each chunk inside one bucket of a window and one span of the arrival log",
)

profiles = Table(
    "profiles",
    metadata,
    Column("chunk_id", RowId, primary_key=True),
    Column("binning_id", BigInteger, primary_key=True),
    Column("segment", String(200), primary_key=True, default=""),  # such as country=DE; empty for all rows
    Column("model", String(200), nullable=False),
    Column("bucket_start", Float, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("profiles_model_bucket", "model", "binning_id", "segment", "bucket_start", "seq"),
    comment="one mergeable profile a chunk, binning and segment, until roll-ups hold it",
)

rollups = Table(
    "rollups",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("binning_id", BigInteger, primary_key=True),
    Column("segment", String(200), primary_key=True, default=""),
    Column("seconds", Integer, primary_key=True),  # length of the bucket
    Column("start", Float, primary_key=True),
    Column("seq", BigInteger, primary_key=True),  # every chunk of the bucket up to this arrival is in it
    Column("n", BigInteger, nullable=False),
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    comment="merged profiles of whole buckets of time, each as of a position (docs/decisions/0006-rollups.md)",
)

# PostgreSQL's is made by the migration alone: naming it here would load its dialect, 4 MB, everywhere.
WAITING = text("window_start IS NULL")

labels = Table(
    "labels",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("prediction_id", String(256), primary_key=True),
    Column("seq", BigInteger, primary_key=True),  # the last write at or before a position wins
    Column("label", Text, nullable=False),  # JSON scalar
    Column("time", Float, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("window_start", Float, nullable=True),  # of its prediction; null while that is unknown
    Index("labels_model_window", "model", "window_start", "seq"),
    Index("labels_waiting", "model", "time", sqlite_where=WAITING),
    comment="ground truth by prediction id, every version; a later one corrects an earlier one",
)
