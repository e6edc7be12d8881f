"""Notifications as lines of text: one an event, readable in a log, and below it what to do."""

from __future__ import annotations

from typing import TextIO

from alerts.duration import span
from alerts.incidents.incident import Notice, Why
from alerts.notify import Address, NotifyError
from alerts.wording import clean, stamp
from checks.one_line import escaped


def line(notice: Notice) -> str:
    """One event on one line: state, severity, model, group, what, since when, and why it is told.

    ``FIRING    warning   delays  drift  distance has drifted: PSI 3.2 (limit 0.1)  since 2013-05-01T00:00Z  (first)``
    """
    incident = notice.incident
    head = [
        f"{'RESOLVED' if incident.resolved else 'FIRING':<8}",
        f"{incident.severity:<8}",
        incident.model or "host",
        incident.group,
    ]
    return escaped("  ".join([*head, *_told(notice), f"({notice.why})"]))


def _told(notice: Notice) -> list[str]:
    """What is wrong and since when; of what is over, how long it lasted and how bad it was."""
    incident, alert = notice.incident, notice.about
    more = f" (+{incident.total - 1} more)" if incident.total > 1 else ""
    numbers = clean(f"{alert.subject} {alert.finding}", 300)
    if incident.ended is not None:
        lasted = span(max(0.0, incident.ended - incident.since))
        return [f"over after {lasted}; at worst {numbers}{more}", f"until {stamp(incident.ended)}"]
    on_it = [f"{clean(incident.acknowledged.by, 100)} is on it"] if incident.acknowledged is not None else []
    if incident.silenced is not None:
        on_it.append(f"silenced until {stamp(incident.silenced.until)} by {clean(incident.silenced.by, 100)}")
    return [f"{clean(alert.summary, 500) or numbers}{more}", f"since {stamp(alert.since)}", *on_it]


class Console:
    """Writes lines to a text stream."""

    name = "console"
    pace = 0.0
    # That the watcher stops is in the log already.
    wants = frozenset(Why) - {Why.UPDATED, Why.WATCHER_STOPPED, Why.WATCHED_AGAIN}

    def __init__(self, stream: TextIO, page: str = "") -> None:
        """`page` is the address of Watchkeeper's page, for links."""
        self._stream, self._page = stream, page.rstrip("/")

    def send(self, notice: Notice, address: Address | None) -> Address:
        try:
            self._stream.write(line(notice) + "\n")
            action = clean(notice.about.action, 1000)
            if action and notice.why in (Why.FIRST, Why.NEW_ALERTS):
                self._stream.write(f"          what to do: {action}\n")
            for report in notice.incident.reports[-1:] if self._page else ():
                self._stream.write(f"          report: {self._page}{report.path}\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise NotifyError(f"the console can't be written to: {error}", retry=True) from error
        return {}
