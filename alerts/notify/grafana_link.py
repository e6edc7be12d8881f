"""The address of the Grafana dashboard that shows an incident's time. Pure."""

from __future__ import annotations

from urllib.parse import urlencode

from alerts.incidents.incident import Incident

MODEL_BOARD, SYSTEM_BOARD = "watchkeeper-model", "watchkeeper-system"
"""Uids of the shipped dashboards: a model's, and the machine's for what is of no model."""
AROUND = 6 * 3600.0
"""Seconds shown from before the incident, and from after its end: enough windows to see a change in them."""
_LIVE = 7 * 86400.0
"""Data whose time is further from the wall's is a replay; Prometheus has it at the time of measuring."""


def board_link(grafana: str, incident: Incident) -> str:
    """The dashboard with the model and the time range of the incident, to now while it is open; "" without the address
    of a Grafana.

    `grafana` is its address, with the path under which it is served if it has one.
    """
    if not grafana:
        return ""
    begun = incident.since if abs(incident.opened_at - incident.since) <= _LIVE else incident.opened_at
    start = min(begun, incident.opened_at) - AROUND
    end = "now" if incident.resolved_at is None else _milliseconds(incident.resolved_at + AROUND)
    shown = {"var-model": incident.model} if incident.model else {}
    query = urlencode({**shown, "from": _milliseconds(start), "to": end})
    return f"{grafana.rstrip('/')}/d/{MODEL_BOARD if incident.model else SYSTEM_BOARD}?{query}"


def _milliseconds(seconds: float) -> str:
    """Epoch milliseconds, not before 1970.

    >>> _milliseconds(1.5), _milliseconds(-3.0)
    ('1500', '0')
    """
    return str(int(max(seconds, 0.0) * 1000))
