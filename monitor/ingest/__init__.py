"""What is posted, parsed: good rows as one payload, the others with their reasons. No I/O, no clock."""

from monitor.ingest.body import ARRAY_TYPE, MEDIA_TYPES, inflate, media_type
from monitor.ingest.labels import parse_labels
from monitor.ingest.predictions import parse_predictions
from monitor.ingest.rejection import Malformed, Parsed, Reason, Rejected, Rejections, TooLarge
from monitor.ingest.times import Span

__all__ = [
    "ARRAY_TYPE",
    "MEDIA_TYPES",
    "Malformed",
    "Parsed",
    "Reason",
    "Rejected",
    "Rejections",
    "Span",
    "TooLarge",
    "inflate",
    "media_type",
    "parse_labels",
    "parse_predictions",
]
