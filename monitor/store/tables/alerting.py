"""Alerts and their transitions, incidents, silences."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from monitor.store.tables.base import RowId, metadata

alerts = Table(
    "alerts",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("rule", String(200), primary_key=True),
    Column("fingerprint", String(16), primary_key=True),
    Column("labels", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("memory", Text, nullable=False),  # JSON: what `alerts.state` needs to go on after a restart
    Column("updated_at", Float, nullable=False),
    comment="one row a rule and label set, as the state machine left it",
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("rule", String(200), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("labels", Text, nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("at", Float, nullable=False),  # the rule's own clock: event time, or wall time
    Column("recorded_at", Float, nullable=False),  # wall time
    Column("value", Float, nullable=True),
    Column("detail", Text, nullable=False),
    UniqueConstraint("model", "rule", "fingerprint", "at", "after", name="transitions_once"),
    Index("transitions_at", "model", "id"),
    Index("transitions_recorded", "recorded_at"),
    Index("transitions_fingerprint", "fingerprint", "id"),
    sqlite_autoincrement=True,
    comment="the audit: every change of an alert's state, and why",
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(400), nullable=False),
    Column("model", String(200), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("resolved_at", Float, nullable=True),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),  # JSON: the incident as alerts.incidents.incident serialises it
    Index("incidents_key", "key", "opened_at"),
    Index("incidents_resolved", "resolved_at", "opened_at"),
)

incident_log = Table(
    "incident_log",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("incident", String(36), nullable=False),
    Column("at", Float, nullable=False),
    Column("by", String(200), nullable=False),  # a person, a receiver, or empty for Watchkeeper itself
    Column("what", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Index("incident_log_incident", "incident", "id"),
    Index("incident_log_at", "at"),
    sqlite_autoincrement=True,
    comment="an incident's life: who did what, and when",
)

silences = Table(
    "silences",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("matchers", Text, nullable=False),  # JSON: [{name, op, value}]
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)
