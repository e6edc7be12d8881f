"""PagerDuty's Events API v2: an incident triggers an event, which is resolved with it.

https://developer.pagerduty.com/docs/events-api-v2-overview. The same `dedup_key` makes the same PagerDuty incident, so
an event that is sent twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from alerts.incidents.incident import Incident, Notice, Why
from alerts.notify import Address
from alerts.notify.settings import NotifierContext, NotifierSettings
from alerts.notify.transport import Post, Transport, raise_for_reply
from alerts.rules.rule import Severity
from alerts.secret_file import Secret
from alerts.url import url_problem
from alerts.wording import clean, stamp

URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY = 1024
LISTED = 20
_SEVERITY = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}
_ADVICE = {403: "look at the receiver's routing_key", 401: "look at the receiver's routing_key"}


def payload(notice: Notice, routing_key: str, page: str = "") -> dict[str, Any]:
    """The event. Of an incident that is acknowledged or over PagerDuty wants its key alone."""
    incident, worst = notice.incident, notice.incident.alerts[0]
    event: dict[str, Any] = {"routing_key": routing_key, "dedup_key": incident.id}
    if incident.resolved:
        return {**event, "event_action": "resolve"}
    if notice.why is Why.ACKNOWLEDGED:
        return {**event, "event_action": "acknowledge"}
    summary = clean(f"{incident.title}: {worst.summary or worst.finding}", SUMMARY)
    details = {
        "since": stamp(incident.since),
        "alerts": [clean(f"{alert.subject} {alert.finding}", 300) for alert in incident.alerts[:LISTED]],
        "firing": incident.firing,
        "what to do": clean(worst.action, 2000),
    }
    links = [{"href": worst.runbook, "text": "Runbook"}] if worst.runbook.startswith(("http://", "https://")) else []
    for report in incident.reports if page else ():
        links.append({"href": page.rstrip("/") + report.path, "text": f"Report of {report.check}"})
    return {
        **event,
        "event_action": "trigger",
        "client": "Watchkeeper",
        **({"client_url": page} if page else {}),
        "payload": {
            "summary": summary,
            "source": incident.model or "host",
            "severity": _SEVERITY[incident.severity],
            "component": incident.model or "host",
            "group": incident.group,
            "class": worst.metric,
            "custom_details": details,
        },
        "links": links,
        "images": _images(incident, page),
    }


def _images(incident: Incident, page: str) -> list[dict[str, str]]:
    """The picture, where its address is one that PagerDuty takes: https alone."""
    if incident.picture is None or not page.startswith("https://"):
        return []
    address = page.rstrip("/") + incident.picture.path("png")
    return [{"src": address, "href": page, "alt": clean(incident.picture.text, 500)}]


class PagerDutySettings(NotifierSettings):
    """An integration of PagerDuty's Events API v2."""

    routing_key: SecretStr | None = None
    """The integration key."""
    routing_key_file: Path | None = None
    """A file with the integration key."""
    url: str = URL
    """Of the events API; another for another region."""

    def problems(self) -> Iterator[tuple[str, str]]:
        if wrong := url_problem(self.url):
            yield "url", f"url: {wrong}"

    def missing(self) -> str | None:
        return None if self.routing_key else "give pagerduty.routing_key, or routing_key_file"

    def make(self, name: str, context: NotifierContext) -> PagerDuty:
        return PagerDuty(
            name, Secret(self.routing_key, self.routing_key_file), context.transport, self.url, context.page
        )


class PagerDuty:
    """Triggers and resolves through one integration."""

    pace = 0.5
    """120 events a minute and integration are taken."""
    wants = frozenset({Why.FIRST, Why.NEW_ALERTS, Why.ACKNOWLEDGED, Why.SEVERITY_ROSE, Why.RESOLVED})

    def __init__(
        self, name: str, routing_key: str | Secret, transport: Transport, url: str = URL, page: str = ""
    ) -> None:
        self._key = routing_key if isinstance(routing_key, Secret) else Secret(routing_key)
        self.name, self._transport, self._url, self._page = name, transport, url, page

    def read_again(self) -> bool:
        """Read the routing key from its file again; return whether it is another one."""
        return self._key.read_again()

    def send(self, notice: Notice, address: Address | None) -> Address:
        body = json.dumps(payload(notice, self._key.text, self._page)).encode()
        raise_for_reply(
            "PagerDuty", self._transport(Post(self._url, body, {"Content-Type": "application/json"})), _ADVICE
        )
        return {"dedup_key": notice.incident.id}
