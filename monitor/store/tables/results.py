"""What checks found: measurements, runs, reports."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from monitor.store.tables.base import RowId, metadata

measurements = Table(
    "measurements",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("labels", String(1000), primary_key=True),  # canonical JSON object
    Column("window_end", Float, primary_key=True),
    Column("window_start", Float, nullable=False),
    Column("value", Float, nullable=True),
    Column("reason", String(32), nullable=True),
    Column("n", BigInteger, nullable=False),
    Column("low", Float, nullable=True),
    Column("high", Float, nullable=True),
    Column("reference", Float, nullable=True),
    Column("limit_low", Float, nullable=True),
    Column("limit_high", Float, nullable=True),
    Column("provisional", Integer, nullable=False),
    Column("revision", Integer, nullable=False),  # 0 as first judged; late data raise it
    Column("detail", Text, nullable=False),
    Index("measurements_model_end", "model", "window_end"),
)

check_runs = Table(
    "check_runs",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("check_name", String(100), nullable=False),
    Column("window_end", Float, nullable=True),
    Column("started_at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("outcome", String(16), nullable=False),  # ok | failed
    Column("error", Text, nullable=False, default=""),
    Index("check_runs_name", "model", "check_name", "id"),
    Index("check_runs_started", "started_at"),
    sqlite_autoincrement=True,
)

reports = Table(
    "reports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("check_name", String(100), nullable=False),
    Column("window_start", Float, nullable=False),
    Column("window_end", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("linked", Integer, nullable=False),  # 1 once an incident links to it
    Column("codec", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("reports_check", "model", "check_name", "window_end", unique=True),
    comment="HTML reports of checks, by number; served as they are, in a sandbox",
)

report_parts = Table(
    "report_parts",
    metadata,
    Column("report", String(36), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    comment="what of a large report goes on after the payload of its row",
)
