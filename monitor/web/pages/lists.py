"""The lists: incidents and silences, checks, reports."""

from __future__ import annotations

from typing import Any

from monitor.store.results import measurements, reports
from monitor.web.context import WebContext

INCIDENTS_SHOWN = 50
REPORTS_SHOWN = 100
ALERTS_SHOWN = 100


def incidents(services: WebContext) -> dict[str, Any]:
    """The newest incidents, the alerts that fire or are about to, and silences."""
    return {
        "alerts": services.alerts.alerts(limit=ALERTS_SHOWN),
        "incidents": services.alerts.incidents(limit=INCIDENTS_SHOWN),
        "silences": services.alerts.list_silences(services.clock.time()),
        "owed": services.alerts.pending(),
    }


def checks(services: WebContext) -> dict[str, Any]:
    """The newest run of every check; those that failed first."""
    runs = measurements.last_runs(services.engine)
    return {"runs": sorted(runs, key=lambda run: run["outcome"] == "ok")}


def reported(services: WebContext) -> dict[str, Any]:
    """The newest reports."""
    return {"reports": reports.recent(services.engine, REPORTS_SHOWN)}
