"""Says which open incidents reach nobody, as no route matches them: in the log, as degraded, and in a metric."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from alerts.incidents.incident import Incident
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters

log = logging.getLogger("watchkeeper.routes")

PART = "routes"
REMEDY = "let the last route have no matchers"


class Forgotten:
    """The incidents that reach nobody, as they were last reported; each is logged once."""

    def __init__(self, health: Health, meters: Meters) -> None:
        self._health, self._meters = health, meters
        self._known: set[str] = set()

    def note(self, incidents: Sequence[Incident]) -> None:
        """Report these open incidents, and that the others are no problem any more."""
        for incident in incidents:
            if incident.id not in self._known:
                log.warning(
                    "%s (%s) reaches nobody: no route matches it; %s", incident.key, incident.severity.value, REMEDY
                )
        self._known = {incident.id for incident in incidents}
        self._meters.incidents_without_receiver.set(len(incidents))
        self._health.report(PART, _problem(incidents))


def _problem(incidents: Sequence[Incident]) -> str | None:
    if not incidents:
        return None
    first, more = incidents[0].key, len(incidents) - 1
    which = f"{first} and {more} more" if more else first
    verb = "reach" if more else "reaches"
    return f"the open incident {which} {verb} nobody, as no route matches; {REMEDY}"
