"""Tells every Alertmanager once that it is told nothing but a test."""

from __future__ import annotations

from alerts.delivery.outbox import DeliveryOutcome
from alerts.incidents.incident import Incident
from alerts.notify.alertmanager import Push
from monitor.alerting.alertmanager.push import Member
from monitor.clock import SystemClock
from monitor.settings.root import Config


class _One:
    """A single alert. It ends by itself, as every one that is not told again."""

    def __init__(self, push: Push) -> None:
        self._push = push

    def mark(self) -> int:
        return 0

    def pushes(self, now: float, since: float) -> list[Push]:
        return [self._push]


def send_test(config: Config, incident: Incident) -> dict[str, str | None]:
    """Sends the incident's alerts to each member of the config; returns by receiver what went wrong."""
    found: dict[str, str | None] = {}

    def told(receiver: str, outcome: DeliveryOutcome, problem: str | None) -> None:
        found[receiver] = None if outcome is DeliveryOutcome.SENT else problem

    settings, url = config.alertmanager, config.public_url or f"http://{config.listen}/"
    source = _One(Push(incident.alerts[0], incident.model, incident.opened_at))
    for address in settings.members if settings is not None else ():
        assert settings is not None
        Member(address, settings, source, SystemClock(), told, evaluate=config.evaluate, url=url).tick()
    return found
