"""What is owed to receivers, and what has reached them."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, Text

from monitor.store.tables.base import RowId, metadata

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
