"""Every table, by the part of the work that it belongs to; import them from here, so that none is missing.

Times are epoch seconds (UTC); payloads name their codec; nothing is pickled.

The arrival log is what all else derives from: `arrivals.seq` orders predictions and labels as they came, and every
decision in event time is taken as of a position in it (docs/decisions/0002-event-time.md).
"""

from __future__ import annotations

from monitor.store.tables.alerting import alerts, incident_log, incidents, silences, transitions
from monitor.store.tables.base import metadata
from monitor.store.tables.delivery import deliveries, lines, outbox, picture_images, picture_sends, pictures
from monitor.store.tables.model_references import model_versions, reference_uses, references, segmentations
from monitor.store.tables.results import check_runs, measurements, report_parts, reports
from monitor.store.tables.stream import arrivals, chunks, idempotency, labels, profiles, progress, rollups, windows

__all__ = [
    "alerts", "arrivals", "check_runs", "chunks", "deliveries", "idempotency", "incident_log", "incidents",
    "labels", "lines", "measurements", "metadata", "model_versions", "outbox", "picture_images",
    "picture_sends", "pictures", "profiles", "progress", "reference_uses", "references", "report_parts",
    "reports", "rollups", "segmentations", "silences", "transitions", "windows",
]  # fmt: skip
