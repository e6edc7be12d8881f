"""Notifications as lines of text: one an event, readable in a log."""

from __future__ import annotations

from typing import TextIO

from alerts.incident import Notice, Why
from alerts.notify import Address, NotifyError
from alerts.wording import clean, stamp


def line(notice: Notice) -> str:
    """One event on one line: state, severity, model, group, what, since when, and why it is told.

    ``FIRING    warning   delays  feature-drift  distance psi 3.2 > 0.1 since 2013-05-01T00:00Z  (first)``
    """
    incident = notice.incident
    head = [
        f"{'RESOLVED' if incident.resolved else 'FIRING':<8}",
        f"{incident.severity:<8}",
        incident.model or "host",
        incident.group,
    ]
    return "  ".join([*head, clean(_finding(notice), 500), f"({notice.why})"])


def _finding(notice: Notice) -> str:
    incident, alert = notice.incident, notice.incident.alerts[0]
    since = incident.since
    if notice.why is Why.NEW_ALERTS:
        # The news is the alert that was not there before, not the worst one.
        alert = max((item for item in incident.alerts if item.firing), key=lambda item: item.since, default=alert)
        since = alert.since
    what = f"{alert.subject} {alert.finding}"
    if incident.total > 1:
        what += f" (+{incident.total - 1} more)"
    until = f" until {stamp(incident.ended)}" if incident.ended is not None else ""
    return f"{what} since {stamp(since)}{until}"


class Console:
    """Writes lines to a text stream."""

    name = "console"
    pace = 0.0
    wants = frozenset(Why) - {Why.UPDATED}

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, notice: Notice, address: Address | None) -> Address:
        try:
            self._stream.write(line(notice) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise NotifyError(f"the console can't be written to: {error}", retry=True) from error
        return {}
