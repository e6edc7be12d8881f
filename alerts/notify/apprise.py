"""Everything else, from mail to Teams to a phone, through apprise: https://github.com/caronc/apprise.

The library is imported when such a receiver is made, so that a daemon without one does not carry it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from alerts.duration import span
from alerts.incidents.incident import Incident, Notice, Why
from alerts.notify import Address, NotifyError
from alerts.notify.settings import NotifierContext, NotifierSettings
from alerts.rules.rule import Severity
from alerts.secret_file import Secret
from alerts.wording import clean, stamp

LISTED = 5


class UnknownService(ValueError):
    """An address that apprise knows no service for; the text does not repeat it."""


def title(notice: Notice) -> str:
    incident = notice.incident
    state = "RESOLVED" if incident.resolved else str(incident.severity).upper()
    return clean(f"{state} {incident.title}", 200)


def text(notice: Notice, page: str = "") -> str:
    """The incident in a few plain lines."""
    incident, worst = notice.incident, notice.incident.alerts[0]
    lines = [clean(worst.summary or worst.finding, 1000), _when(incident)]
    lines += [
        f"- {clean(f'{alert.subject} {alert.finding}', 200)}"
        for alert in incident.alerts[:LISTED]
        if incident.total > 1
    ]
    if incident.total > LISTED:
        lines.append(f"+{incident.total - LISTED:,} more")
    if worst.action and not incident.resolved:
        lines.append(f"What to do: {clean(worst.action, 1000)}")
    lines += [item for item in (worst.runbook, page) if item]
    return "\n".join(lines)


def _when(incident: Incident) -> str:
    if incident.ended is None:
        return f"since {stamp(incident.since)}; {incident.firing} firing"
    return f"over after {span(max(0.0, incident.ended - incident.since))}, at {stamp(incident.ended)}"


class AppriseSettings(NotifierSettings):
    """Addresses as apprise writes them, such as mailto://… or msteams://…"""

    urls: list[SecretStr] = []
    """The addresses."""
    urls_file: Path | None = None
    """One address a line."""

    def missing(self) -> str | None:
        if not self.urls:
            return "give apprise.urls, or urls_file"
        try:
            Apprise("", [url.get_secret_value() for url in self.urls])
        except UnknownService as error:
            return str(error)
        return None

    def make(self, name: str, context: NotifierContext) -> Apprise:
        urls = [url.get_secret_value() for url in self.urls]
        return Apprise(name, urls, context.timeout, context.page, self.urls_file)


class Apprise:
    """Sends to every one of its addresses; those that have taken a piece of news are not told it again while it is
    tried for the others."""

    pace = 1.0
    wants = frozenset(Why) - {Why.UPDATED, Why.SILENCED, Why.WATCHER_STOPPED, Why.WATCHED_AGAIN}

    def __init__(
        self, name: str, urls: Sequence[str], timeout: float = 10.0, page: str = "", file: Path | None = None
    ) -> None:
        """`file` is where the last of the addresses are from. Raises UnknownService."""
        # Its own lines may hold addresses with their secrets.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self.name, self._timeout, self._page = name, timeout, page
        self._urls, self._file = list(urls), Secret("", file)
        self._file.read_again()
        self._in_file = _lines(self._file.text)
        self._services = [_service(place, url) for place, url in enumerate(urls)]
        self._done: dict[str, set[int]] = {}

    def read_again(self) -> bool:
        """Read the addresses from their file again; return whether they are others, which apprise knows."""
        if not self._file.read_again():
            return False
        before, now = self._in_file, _lines(self._file.text)
        urls = self._urls[: len(self._urls) - len(before)] + now
        try:
            services = [_service(place, url) for place, url in enumerate(urls)]
        except UnknownService:
            return False
        self._urls, self._in_file, self._services, self._done = urls, now, services, {}
        return True

    def send(self, notice: Notice, address: Address | None) -> Address:
        from apprise import NotifyType

        kinds = {Severity.CRITICAL: NotifyType.FAILURE, Severity.WARNING: NotifyType.WARNING}
        kind = NotifyType.SUCCESS if notice.incident.resolved else kinds.get(notice.incident.severity, NotifyType.INFO)
        news = f"{notice.incident.id}:{notice.incident.version}"
        done = self._done.setdefault(news, set())
        self._done = {news: done}
        for place, service in enumerate(self._services):
            if place in done:
                continue
            if service.notify(text(notice, self._page), title=title(notice), notify_type=kind, timeout=self._timeout):
                done.add(place)
        if len(done) < len(self._services):
            missing = ", ".join(str(place + 1) for place in range(len(self._services)) if place not in done)
            raise NotifyError(f"apprise could not deliver to address {missing} of {self.name}", retry=True)
        return {}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _service(place: int, url: str) -> Any:
    from apprise import Apprise

    service = Apprise()
    if not service.add(url):
        raise UnknownService(f"address {place + 1} names no service that apprise knows, or lacks a part of it")
    return service
