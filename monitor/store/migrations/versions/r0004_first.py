"""Create the tables of the first release. Databases of earlier revisions were never released."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = None
branch_labels = None
depends_on = None

NAME, WORD, UUID, CODEC = sa.String(200), sa.String(16), sa.String(36), sa.String(32)
TEXT, REAL, INT, BIG, BYTES = sa.Text(), sa.Float(), sa.Integer(), sa.BigInteger(), sa.LargeBinary()
SERIAL = BIG.with_variant(INT, "sqlite")
"""SQLite counts only an INTEGER up by itself."""


def _key(**columns: sa.types.TypeEngine[Any]) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, primary_key=True) for name, kind in columns.items()]


def _need(**columns: sa.types.TypeEngine[Any]) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name, kind in columns.items()]


def _may(**columns: sa.types.TypeEngine[Any]) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name, kind in columns.items()]


def upgrade() -> None:
    """Create every table and index."""
    op.create_table(
        "alerts",
        *_key(model=NAME, rule=NAME, fingerprint=WORD),
        *_need(labels=TEXT, state=WORD, memory=TEXT, updated_at=REAL),
        comment="one row a rule and label set, as the state machine left it",
    )
    op.create_table(
        "arrivals",
        *_key(seq=SERIAL),
        *_need(model=NAME, kind=WORD, received_at=REAL, t_min=REAL, t_max=REAL, n=INT, codec=CODEC, payload=BYTES),
        comment="accepted batches as they came, until compacted (predictions) or placed (labels)",
        sqlite_autoincrement=True,
    )
    op.create_index("arrivals_model_seq", "arrivals", ["model", "seq"])
    op.create_table(
        "check_runs",
        *_key(id=SERIAL),
        *_need(model=NAME, check_name=sa.String(100)),
        *_may(window_end=REAL),
        *_need(started_at=REAL, seconds=REAL, outcome=WORD, error=TEXT),
        sqlite_autoincrement=True,
    )
    op.create_index("check_runs_name", "check_runs", ["model", "check_name", "id"])
    op.create_index("check_runs_started", "check_runs", ["started_at"])
    op.create_table(
        "chunks",
        *_key(id=SERIAL),
        *_need(model=NAME, seq=BIG, window_start=REAL, bucket_start=REAL, t_min=REAL, t_max=REAL),
        *_may(version=NAME),
        *_need(n=INT, duplicates=INT, received_at=REAL, codec=CODEC, payload=BYTES, id_hashes=BYTES),
        comment="compacted predictions, each chunk inside one bucket of a window and one span of the arrival log",
        sqlite_autoincrement=True,
    )
    op.create_index("chunks_model_time", "chunks", ["model", "t_max"])
    op.create_index("chunks_model_window", "chunks", ["model", "window_start", "seq", "bucket_start"])
    op.create_table(
        "deliveries",
        *_key(incident=UUID, receiver=NAME),
        *_need(address=TEXT, version=INT),
        comment="where an incident's message is, so that it can be updated in place",
    )
    op.create_table(
        "idempotency",
        *_key(model=NAME, key=NAME, kind=WORD),
        *_need(received_at=REAL, reply=TEXT),
        comment="replies to batches already stored, by Idempotency-Key",
    )
    op.create_index(op.f("ix_idempotency_received_at"), "idempotency", ["received_at"])
    op.create_table(
        "incidents",
        *_key(id=UUID),
        *_need(key=sa.String(400), model=NAME, severity=WORD, opened_at=REAL),
        *_may(resolved_at=REAL),
        *_need(version=INT, body=TEXT),
    )
    op.create_index("incidents_key", "incidents", ["key", "opened_at"])
    op.create_index("incidents_resolved", "incidents", ["resolved_at", "opened_at"])
    op.create_table(
        "labels",
        *_key(model=NAME, prediction_id=sa.String(256), seq=BIG),
        *_need(label=TEXT, time=REAL, received_at=REAL),
        *_may(window_start=REAL),
        comment="ground truth by prediction id, every version; a later one corrects an earlier one",
    )
    op.create_index("labels_model_window", "labels", ["model", "window_start", "seq"])
    op.create_index(
        "labels_waiting",
        "labels",
        ["model", "time"],
        unique=False,
        sqlite_where=sa.text("window_start IS NULL"),
        postgresql_where=sa.text("window_start IS NULL"),
    )
    op.create_table(
        "measurements",
        *_key(model=NAME, name=sa.String(100), labels=sa.String(1000), window_end=REAL),
        *_need(window_start=REAL),
        *_may(value=REAL, reason=CODEC),
        *_need(n=BIG),
        *_may(low=REAL, high=REAL, reference=REAL, limit_low=REAL, limit_high=REAL),
        *_need(provisional=INT, revision=INT, detail=TEXT),
    )
    op.create_index("measurements_model_end", "measurements", ["model", "window_end"])
    op.create_table(
        "outbox",
        *_key(id=SERIAL),
        *_need(incident=UUID, receiver=NAME, reason=CODEC, version=INT, created_at=REAL, due_at=REAL, attempts=INT),
        *_may(outcome=WORD, finished_at=REAL),
        *_need(error=TEXT),
        *_may(tried_at=REAL, claimed_by=sa.String(64), claimed_until=REAL),
        comment="notifications owed, written with the transition that owes them",
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_incident", "outbox", ["incident", "receiver"])
    op.create_index("outbox_owed", "outbox", ["outcome", "due_at"])
    op.create_table(
        "profiles",
        *_key(chunk_id=SERIAL, binning_id=BIG, segment=NAME),
        *_need(model=NAME, bucket_start=REAL, seq=BIG, n=INT, codec=CODEC, payload=BYTES),
        comment="one mergeable profile a chunk, binning and segment, until roll-ups hold it",
    )
    op.create_index("profiles_model_bucket", "profiles", ["model", "binning_id", "segment", "bucket_start", "seq"])
    op.create_table(
        "progress",
        *_key(model=NAME),
        *_need(scanned_seq=BIG),
        *_may(newest_time=REAL, next_window=REAL),
        *_need(compacted_seq=BIG),
        *_may(judged_window=REAL, every=REAL, unprofiled=INT),
        comment="how far each model's arrival log has been worked through",
    )
    op.create_table(
        "reference_profiles",
        *_key(id=SERIAL),
        *_need(model=NAME, created_at=REAL, created_by=NAME, kind=WORD, source=TEXT, version=NAME),
        *_may(binning_id=BIG, window_start=REAL, window_end=REAL, seq=BIG),
        *_need(fingerprint=sa.String(64), n=BIG, schema=TEXT, codec=CODEC, payload=BYTES),
        comment="versioned references; the id of one with bins of its own is their version",
        sqlite_autoincrement=True,
    )
    op.create_index("references_model", "reference_profiles", ["model", "id"])
    op.create_table(
        "reference_uses",
        *_key(id=SERIAL),
        *_need(model=NAME, version=NAME),
        *_may(reference_id=BIG, after=REAL),
        *_need(action=WORD, plan=TEXT, recorded_at=REAL, recorded_by=NAME, comment=TEXT),
        comment="the audit of what is normal: the last row that covers a window says what it is judged by",
        sqlite_autoincrement=True,
    )
    op.create_index("reference_uses_model", "reference_uses", ["model", "version", "id"])
    op.create_table(
        "model_versions",
        *_key(model=NAME, version=NAME),
        *_need(first_window=REAL, last_window=REAL, n=BIG),
        comment="versions of a model, where each is judged by itself",
    )
    op.create_table(
        "rollups",
        *_key(model=NAME, binning_id=BIG, segment=NAME, seconds=INT, start=REAL, seq=BIG),
        *_need(n=BIG, codec=CODEC, payload=BYTES),
        comment="merged profiles of whole buckets of time, each as of a position (docs/decisions/0006-rollups.md)",
    )
    op.create_table(
        "segmentations",
        *_key(id=SERIAL),
        *_need(model=NAME, reference_id=BIG, column=NAME, settings=sa.String(64), seq=BIG, codec=CODEC, payload=BYTES),
        sa.UniqueConstraint("model", "reference_id", "column", "settings", name="segmentations_once"),
        comment="tags and features by whose values rows are told apart",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pictures",
        *_key(id=UUID),
        *_need(model=NAME, incident=UUID, window_start=REAL, window_end=REAL, created_at=REAL, title=TEXT, text=TEXT),
        *_need(drawn=TEXT, tries=INT, done=INT),
        comment="pictures of what moved, by number; drawn in the worker, told with their incident",
    )
    op.create_index("pictures_created", "pictures", ["model", "created_at"])
    op.create_table(
        "picture_images",
        *_key(picture=UUID, format=sa.String(8)),
        *_need(payload=BYTES),
        comment="the images of a picture",
    )
    op.create_table(
        "picture_sends",
        *_key(incident=UUID, receiver=NAME),
        *_need(state=WORD, file=sa.String(64), due_at=REAL, tries=INT),
        *_may(tried_at=REAL),
        *_need(error=TEXT),
        comment="how far an incident's picture has come on its way into a receiver's message",
    )
    op.create_table(
        "silences",
        *_key(id=UUID),
        *_need(matchers=TEXT, starts_at=REAL, ends_at=REAL, created_by=NAME, comment=TEXT, created_at=REAL),
    )
    op.create_table(
        "transitions",
        *_key(id=SERIAL),
        *_need(model=NAME, rule=NAME, fingerprint=WORD, labels=TEXT, before=WORD, after=WORD, reason=CODEC, at=REAL),
        *_need(recorded_at=REAL),
        *_may(value=REAL),
        *_need(detail=TEXT),
        sa.UniqueConstraint("model", "rule", "fingerprint", "at", "after", name="transitions_once"),
        comment="the audit: every change of an alert's state, and why",
        sqlite_autoincrement=True,
    )
    op.create_index("transitions_at", "transitions", ["model", "id"])
    op.create_index("transitions_fingerprint", "transitions", ["fingerprint", "id"])
    op.create_index("transitions_recorded", "transitions", ["recorded_at"])
    op.create_table(
        "windows",
        *_key(model=NAME, start=REAL),
        *_need(end=REAL, close_seq=BIG),
        *_may(mature_at=REAL, reference_id=BIG, version=NAME),
        comment="closed windows and the position in the arrival log at which each closed",
    )
    op.create_index("windows_model_end", "windows", ["model", "end"])
    op.create_table(
        "reports",
        *_key(id=UUID),
        *_need(model=NAME, check_name=sa.String(100), window_start=REAL, window_end=REAL, created_at=REAL, linked=INT),
        *_need(codec=CODEC, payload=BYTES),
        comment="HTML reports of checks, by number; served as they are, in a sandbox",
    )
    op.create_index("reports_check", "reports", ["model", "check_name", "window_end"], unique=True)
    op.create_table(
        "report_parts",
        *_key(report=UUID, part=INT),
        *_need(payload=BYTES),
        comment="what of a large report goes on after the payload of its row",
    )
    op.create_table(
        "lines",
        *_key(receiver=NAME),
        *_need(not_before=REAL, failures=INT, problem=TEXT, updated_at=REAL),
        comment="until when each receiver asked to be left alone, so that a restart does not forget it",
    )
    op.create_table(
        "incident_log",
        *_key(id=SERIAL),
        *_need(incident=UUID, at=REAL, by=NAME, what=CODEC, text=TEXT),
        comment="an incident's life: who did what, and when",
        sqlite_autoincrement=True,
    )
    op.create_index("incident_log_at", "incident_log", ["at"])
    op.create_index("incident_log_incident", "incident_log", ["incident", "id"])
