"""Create the tables of the first release. Databases of earlier revisions were never released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts only an INTEGER up by itself."""


def upgrade() -> None:
    """Create every table and index."""
    op.create_table(
        "alerts",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("rule", sa.String(length=200), primary_key=True),
        sa.Column("fingerprint", sa.String(length=16), primary_key=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        comment="one row a rule and label set, as the state machine left it",
    )
    op.create_table(
        "arrivals",
        sa.Column("seq", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("t_min", sa.Float(), nullable=False),
        sa.Column("t_max", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="accepted batches as they came, until compacted (predictions) or placed (labels)",
        sqlite_autoincrement=True,
    )
    op.create_index("arrivals_model_seq", "arrivals", ["model", "seq"])
    op.create_table(
        "check_runs",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("check_name", sa.String(length=100), nullable=False),
        sa.Column("window_end", sa.Float(), nullable=True),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("check_runs_name", "check_runs", ["model", "check_name", "id"])
    op.create_index("check_runs_started", "check_runs", ["started_at"])
    op.create_table(
        "chunks",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("window_start", sa.Float(), nullable=False),
        sa.Column("bucket_start", sa.Float(), nullable=False),
        sa.Column("t_min", sa.Float(), nullable=False),
        sa.Column("t_max", sa.Float(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("id_hashes", sa.LargeBinary(), nullable=False),
        comment="compacted predictions, each chunk inside one bucket of a window and one span of the arrival log",
        sqlite_autoincrement=True,
    )
    op.create_index("chunks_model_time", "chunks", ["model", "t_max"])
    op.create_index("chunks_model_window", "chunks", ["model", "window_start", "seq", "bucket_start"])
    op.create_table(
        "deliveries",
        sa.Column("incident", sa.String(length=36), primary_key=True),
        sa.Column("receiver", sa.String(length=200), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        comment="where an incident's message is, so that it can be updated in place",
    )
    op.create_table(
        "idempotency",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("key", sa.String(length=200), primary_key=True),
        sa.Column("kind", sa.String(length=16), primary_key=True),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        comment="replies to batches already stored, by Idempotency-Key",
    )
    op.create_index(op.f("ix_idempotency_received_at"), "idempotency", ["received_at"])
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("resolved_at", sa.Float(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("incidents_key", "incidents", ["key", "opened_at"])
    op.create_index("incidents_resolved", "incidents", ["resolved_at", "opened_at"])
    op.create_table(
        "labels",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("prediction_id", sa.String(length=256), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("window_start", sa.Float(), nullable=True),
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
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("name", sa.String(length=100), primary_key=True),
        sa.Column("labels", sa.String(length=1000), primary_key=True),
        sa.Column("window_end", sa.Float(), primary_key=True),
        sa.Column("window_start", sa.Float(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("reference", sa.Float(), nullable=True),
        sa.Column("limit_low", sa.Float(), nullable=True),
        sa.Column("limit_high", sa.Float(), nullable=True),
        sa.Column("provisional", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.create_index("measurements_model_end", "measurements", ["model", "window_end"])
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("receiver", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.Float(), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", sa.Float(), nullable=True),
        comment="notifications owed, written with the transition that owes them",
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_incident", "outbox", ["incident", "receiver"])
    op.create_index("outbox_owed", "outbox", ["outcome", "due_at"])
    op.create_table(
        "profiles",
        sa.Column("chunk_id", SERIAL, primary_key=True),
        sa.Column("binning_id", sa.BigInteger(), primary_key=True),
        sa.Column("segment", sa.String(length=200), primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("bucket_start", sa.Float(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="one mergeable profile a chunk, binning and segment, until roll-ups hold it",
    )
    op.create_index("profiles_model_bucket", "profiles", ["model", "binning_id", "segment", "bucket_start", "seq"])
    op.create_table(
        "progress",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("scanned_seq", sa.BigInteger(), nullable=False),
        sa.Column("newest_time", sa.Float(), nullable=True),
        sa.Column("next_window", sa.Float(), nullable=True),
        sa.Column("compacted_seq", sa.BigInteger(), nullable=False),
        sa.Column("judged_window", sa.Float(), nullable=True),
        sa.Column("every", sa.Float(), nullable=True),
        sa.Column("unprofiled", sa.Integer(), nullable=True),
        comment="how far each model's arrival log has been worked through",
    )
    op.create_table(
        "reference_profiles",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("binning_id", sa.BigInteger(), nullable=True),
        sa.Column("window_start", sa.Float(), nullable=True),
        sa.Column("window_end", sa.Float(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="versioned references; the id of one with bins of its own is their version",
        sqlite_autoincrement=True,
    )
    op.create_index("references_model", "reference_profiles", ["model", "id"])
    op.create_table(
        "reference_uses",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("reference_id", sa.BigInteger(), nullable=True),
        sa.Column("after", sa.Float(), nullable=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Float(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        comment="the audit of what is normal: the last row that covers a window says what it is judged by",
        sqlite_autoincrement=True,
    )
    op.create_index("reference_uses_model", "reference_uses", ["model", "version", "id"])
    op.create_table(
        "model_versions",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("version", sa.String(length=200), primary_key=True),
        sa.Column("first_window", sa.Float(), nullable=False),
        sa.Column("last_window", sa.Float(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        comment="versions of a model, where each is judged by itself",
    )
    op.create_table(
        "rollups",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("binning_id", sa.BigInteger(), primary_key=True),
        sa.Column("segment", sa.String(length=200), primary_key=True),
        sa.Column("seconds", sa.Integer(), primary_key=True),
        sa.Column("start", sa.Float(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="merged profiles of whole buckets of time, each as of a position (docs/decisions/0006-rollups.md)",
    )
    op.create_table(
        "segmentations",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("reference_id", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("settings", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("model", "reference_id", "column", "settings", name="segmentations_once"),
        comment="tags and features by whose values rows are told apart",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pictures",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("window_start", sa.Float(), nullable=False),
        sa.Column("window_end", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("drawn", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        comment="pictures of what moved, by number; drawn in the worker, told with their incident",
    )
    op.create_index("pictures_created", "pictures", ["model", "created_at"])
    op.create_table(
        "picture_images",
        sa.Column("picture", sa.String(length=36), primary_key=True),
        sa.Column("format", sa.String(length=8), primary_key=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="the images of a picture",
    )
    op.create_table(
        "picture_sends",
        sa.Column("incident", sa.String(length=36), primary_key=True),
        sa.Column("receiver", sa.String(length=200), primary_key=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        comment="how far an incident's picture has come on its way into a receiver's message",
    )
    op.create_table(
        "silences",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Float(), nullable=False),
        sa.Column("ends_at", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "transitions",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("recorded_at", sa.Float(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.UniqueConstraint("model", "rule", "fingerprint", "at", "after", name="transitions_once"),
        comment="the audit: every change of an alert's state, and why",
        sqlite_autoincrement=True,
    )
    op.create_index("transitions_at", "transitions", ["model", "id"])
    op.create_index("transitions_fingerprint", "transitions", ["fingerprint", "id"])
    op.create_index("transitions_recorded", "transitions", ["recorded_at"])
    op.create_table(
        "windows",
        sa.Column("model", sa.String(length=200), primary_key=True),
        sa.Column("start", sa.Float(), primary_key=True),
        sa.Column("end", sa.Float(), nullable=False),
        sa.Column("close_seq", sa.BigInteger(), nullable=False),
        sa.Column("mature_at", sa.Float(), nullable=True),
        sa.Column("reference_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.String(length=200), nullable=True),
        comment="closed windows and the position in the arrival log at which each closed",
    )
    op.create_index("windows_model_end", "windows", ["model", "end"])
    op.create_table(
        "reports",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("check_name", sa.String(length=100), nullable=False),
        sa.Column("window_start", sa.Float(), nullable=False),
        sa.Column("window_end", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("linked", sa.Integer(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="HTML reports of checks, by number; served as they are, in a sandbox",
    )
    op.create_index("reports_check", "reports", ["model", "check_name", "window_end"], unique=True)
    op.create_table(
        "report_parts",
        sa.Column("report", sa.String(length=36), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        comment="what of a large report goes on after the payload of its row",
    )
    op.create_table(
        "lines",
        sa.Column("receiver", sa.String(length=200), primary_key=True),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        comment="until when each receiver asked to be left alone, so that a restart does not forget it",
    )
    op.create_table(
        "incident_log",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        comment="an incident's life: who did what, and when",
        sqlite_autoincrement=True,
    )
    op.create_index("incident_log_at", "incident_log", ["at"])
    op.create_index("incident_log_incident", "incident_log", ["incident", "id"])
