"""Every table, in one place. Times are epoch seconds (UTC); payloads name their codec; nothing is pickled.

The arrival log is what all else derives from: `arrivals.seq` orders predictions and labels as they came, and every
decision in event time is taken as of a position in it (docs/decisions/0002-event-time.md).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite gives out row ids only for a column of exactly this type.
RowId = BigInteger().with_variant(Integer, "sqlite")

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
    Column(
        "bucket_start", Float, nullable=False
    ),  # of the shortest span that is ever asked for (monitor.store.buckets)
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
