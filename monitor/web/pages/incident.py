"""One incident: what fires in it, what happened to it, and what can be done."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from alerts.duration import span
from alerts.incidents.incident import Incident
from alerts.notify.grafana_link import board_link
from monitor.store.alerts import pictures
from monitor.store.results import reports
from monitor.store.tables import incidents
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused

SPANS = ("1h", "4h", "1d", "7d")
"""How long a silence or an acknowledgement may hold, as the forms offer it."""


def incident(services: WebContext, id: str) -> dict[str, Any]:
    """All that an incident's page shows. Raises Refused."""
    with services.engine.connect() as connection:
        body = connection.scalar(select(incidents.c.body).where(incidents.c.id == id))
    if body is None:
        raise Refused(RefusalReason.NOT_FOUND, "there is no such incident, or it is not kept any more")
    found = json.loads(body)
    return {
        "incident": found,
        "board": board_link(services.config.grafana.url if services.config.grafana else "", Incident.from_dict(found)),
        "moved": _moved(found),
        "matchers": matchers(found),
        "timeline": services.alerts.timeline(id),
        "picture_kept": bool(pictures.kept(services.engine, [found["picture"]["id"]] if found.get("picture") else [])),
        "reports_kept": reports.kept(services.engine, [link["id"] for link in found.get("reports") or []]),
        "spans": SPANS,
        "held": span(services.config.acknowledged_for),
        "silences": services.alerts.list_silences(services.clock.time()),
    }


def matchers(found: dict[str, Any]) -> list[str]:
    """What a silence that is offered matches: the model, and the rule where there is one alone."""
    rules = sorted({alert["rule"] for alert in found["alerts"] if alert["firing"]})
    named = [f"model={found['model']}"] if found["model"] else []
    if len(rules) == 1:
        named.append(f"rule={rules[0]}")
    elif rules:
        named.append(f"rule=~{'|'.join(rules)}")
    return named


def _moved(found: dict[str, Any]) -> list[str]:
    """What moved, a sentence each."""
    return list(dict.fromkeys(line for alert in found["alerts"] for line in alert.get("moved") or []))[:6]
