"""What is posted, parsed: good rows as one payload, the others with their reasons. No I/O, no clock."""

from monitor.ingest.body import ARRAY_TYPE, MEDIA_TYPES, WHOLE_BYTES, inflate, media_type
from monitor.ingest.labels import fast_labels, parse_labels
from monitor.ingest.predictions import fast_predictions, parse_predictions
from monitor.ingest.rejection import Malformed, Parsed, Rejected, RejectionReason, Rejections, TooLarge
from monitor.ingest.times import TimeRange

__all__ = [
    "ARRAY_TYPE",
    "MEDIA_TYPES",
    "WHOLE_BYTES",
    "Malformed",
    "Parsed",
    "Rejected",
    "RejectionReason",
    "Rejections",
    "TimeRange",
    "TooLarge",
    "fast_labels",
    "fast_predictions",
    "inflate",
    "media_type",
    "parse_labels",
    "parse_predictions",
]
