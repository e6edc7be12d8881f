"""Write each record of the log as one line that begins with its time, whatever is in it."""

from __future__ import annotations

import logging
import sys

from alerts.redact import redacted
from checks.one_line import escaped

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LineFormatter(logging.Formatter):
    """Formats a record so that nothing in it, such as a name from data, can pass for another record.

    What would end a line is written out (`\\n`). A traceback follows line by line, each with the head of its record.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        head = self.formatMessage(record).removesuffix(record.message)
        lines = [record.message, *(f"| {line}" for line in _below(record, self))]
        return "\n".join(head + escaped(redacted(line)) for line in lines)


def _below(record: logging.LogRecord, formatter: logging.Formatter) -> list[str]:
    """Return the lines of the traceback and of the stack, if the record has them."""
    trace = formatter.formatException(record.exc_info) if record.exc_info else record.exc_text or ""
    return [line for text in (trace, record.stack_info or "") if text for line in text.split("\n")]


def log_to_stderr(level: int) -> None:
    """Send what this process logs from `level` on to stderr, a line a record."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
