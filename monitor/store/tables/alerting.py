"""Alerts, incidents, and what is owed to receivers."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

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

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("incident", String(36), nullable=False),
    Column("receiver", String(200), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("version", Integer, nullable=False),  # of the incident when it became owed
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Float, nullable=True),  # a send began here, and nobody knows whether it arrived
    Column("claimed_by", String(64), nullable=True),  # the daemon that sends it now, where several share the database
    Column("claimed_until", Float, nullable=True),
    Column("outcome", String(16), nullable=True),  # null while owed; sent | collapsed | silenced | failed
    Column("finished_at", Float, nullable=True),
    Column("error", Text, nullable=False, default=""),
    Index("outbox_owed", "outcome", "due_at"),
    Index("outbox_incident", "incident", "receiver"),
    sqlite_autoincrement=True,
    comment="notifications owed, written with the transition that owes them",
)

lines = Table(
    "lines",
    metadata,
    Column("receiver", String(200), primary_key=True),
    Column("not_before", Float, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("updated_at", Float, nullable=False),
    comment="until when each receiver asked to be left alone, so that a restart does not forget it",
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

deliveries = Table(
    "deliveries",
    metadata,
    Column("incident", String(36), primary_key=True),
    Column("receiver", String(200), primary_key=True),
    Column("address", Text, nullable=False),  # JSON: what the receiver needs to update its message (Slack: channel, ts)
    Column("version", Integer, nullable=False),
    comment="where an incident's message is, so that it can be updated in place",
)

pictures = Table(
    "pictures",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("incident", String(36), nullable=False),
    Column("window_start", Float, nullable=False),
    Column("window_end", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),  # for who can't see it
    Column("drawn", Text, nullable=False),  # JSON: the columns, as checks.pictures.drawn serialises them
    Column("tries", Integer, nullable=False),
    Column("done", Integer, nullable=False),  # 1 once its images are there
    Index("pictures_created", "model", "created_at"),
    comment="pictures of what moved, by number; drawn in the worker, told with their incident",
)

picture_images = Table(
    "picture_images",
    metadata,
    Column("picture", String(36), primary_key=True),
    Column("format", String(8), primary_key=True),  # svg | png
    Column("payload", LargeBinary, nullable=False),
    comment="the images of a picture",
)

picture_sends = Table(
    "picture_sends",
    metadata,
    Column("incident", String(36), primary_key=True),
    Column("receiver", String(200), primary_key=True),
    Column("state", String(16), nullable=False),  # owed | uploaded | sent | failed
    Column("file", String(64), nullable=False),  # the receiver's name of what was uploaded
    Column("due_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Float, nullable=True),  # sharing it began here, and nobody knows whether it arrived
    Column("error", Text, nullable=False),
    comment="how far an incident's picture has come on its way into a receiver's message",
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
