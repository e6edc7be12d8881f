"""What models are compared with, since when, and the segments that their rows are split into."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, LargeBinary, String, Table, Text, UniqueConstraint

from monitor.store.tables.base import RowId, metadata

references = Table(
    "reference_profiles",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("kind", String(16), nullable=False),  # file | events | learned | accepted
    Column("source", Text, nullable=False),
    Column("version", String(200), nullable=False),  # of the model that it is of; empty: of all
    Column("binning_id", BigInteger, nullable=True),  # the reference that its bins are of; null: its own
    Column("window_start", Float, nullable=True),  # event time of its rows, where they are the stream's,
    Column("window_end", Float, nullable=True),
    Column("seq", BigInteger, nullable=True),  # as of this arrival
    Column("fingerprint", String(64), nullable=False),  # of source content, schema and calibration settings
    Column("n", BigInteger, nullable=False),
    Column("schema", Text, nullable=False),  # JSON: the resolved schema
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # binning, profile, calibration, performance
    Index("references_model", "model", "id"),
    sqlite_autoincrement=True,
    comment="versioned references; the id of one with bins of its own is their version",
)

reference_uses = Table(
    "reference_uses",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),  # of the model; empty: all that have none of their own
    Column("reference_id", BigInteger, nullable=True),  # null: none until one is learned
    Column("after", Float, nullable=True),  # holds for windows that end after; null: for all
    Column("action", String(16), nullable=False),  # configured | learned | built | accepted | used
    Column("plan", Text, nullable=False),  # configured: where references come from from here on
    Column("recorded_at", Float, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    Column("comment", Text, nullable=False),
    Index("reference_uses_model", "model", "version", "id"),
    sqlite_autoincrement=True,
    comment="the audit of what is normal: the last row that covers a window says what it is judged by",
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("version", String(200), primary_key=True),
    Column("first_window", Float, nullable=False),  # start of the first closed window with rows of it
    Column("last_window", Float, nullable=False),
    Column("n", BigInteger, nullable=False),
    comment="versions of a model, where each is judged by itself",
)

segmentations = Table(
    "segmentations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("reference_id", BigInteger, nullable=False),  # its own number; of bins, where only values are frozen
    Column("column", String(200), nullable=False),  # f: a feature, t: a tag
    Column("settings", String(64), nullable=False),  # all else that it is made by
    Column("seq", BigInteger, nullable=False),  # the arrival as of which its values were frozen; 0 with the reference
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the values, and what is normal for each
    UniqueConstraint("model", "reference_id", "column", "settings", name="segmentations_once"),
    sqlite_autoincrement=True,
    comment="tags and features by whose values rows are told apart",
)
