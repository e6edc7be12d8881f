"""The lists: incidents and silences, checks, reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alerts.incidents.silence import Silence
from monitor.alerting import forgotten
from monitor.alerting.reach import Reach
from monitor.config.check_matchers import reach
from monitor.store.results import measurements, reports
from monitor.web.context import WebContext

INCIDENTS_SHOWN = 50
REPORTS_SHOWN = 100
ALERTS_SHOWN = 100


def incidents(services: WebContext) -> dict[str, Any]:
    """The newest incidents, the alerts that fire or are about to, and silences."""
    silences = services.alerts.list_silences(services.clock.time())
    return {
        "alerts": services.alerts.alerts(limit=ALERTS_SHOWN),
        "incidents": services.alerts.incidents(limit=INCIDENTS_SHOWN),
        "silences": silences,
        "notes": _notes(services, silences),
        "owed": services.alerts.pending(),
        "unheard": services.health.degraded().get(forgotten.PART),
    }


def _notes(services: WebContext, silences: Sequence[Silence]) -> dict[str, str]:
    """What each silence holds back now, or why it holds back nothing, by its id."""
    if not silences:
        return {}
    hit = reach(services.config, services.rules(), services.alerts.alerts(limit=None))
    return {item.id: item.problem or hit.problem(item.matchers) or _count(hit, item) for item in silences}


def _count(hit: Reach, silence: Silence) -> str:
    return f"matches {hit.hits(silence.matchers)} of the alerts that are there"


def checks(services: WebContext) -> dict[str, Any]:
    """The newest run of every check; those that failed first."""
    runs = measurements.last_runs(services.engine)
    return {"runs": sorted(runs, key=lambda run: run["outcome"] == "ok")}


def reported(services: WebContext) -> dict[str, Any]:
    """The newest reports."""
    return {"reports": reports.recent(services.engine, REPORTS_SHOWN)}
