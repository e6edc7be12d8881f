"""Dashboards as classic JSON that Grafana 10 to 13 know every key of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

_VARIABLE = ("auto", "auto_min", "auto_count", "allowCustomValue")
_OPTIONS = {
    "stat": ("percentChangeColorMode",),
    "state-timeline": ("perPage",),
    "status-history": ("perPage",),
    "bargauge": ("legend",),
    "table": ("footer",),
}
"""What the kit writes unasked, and some release does not know, by the panel's type."""


def classic(made: Dashboard) -> dict[str, Any]:
    """The dashboard as JSON-serialisable data."""
    plain: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    for variable in plain["templating"]["list"]:
        for key in _VARIABLE:
            variable.pop(key, None)
    for panel in panels(plain):
        for key in _OPTIONS.get(panel["type"], ()):
            panel["options"].pop(key, None)
    return plain


def panels(plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel of a classic dashboard that is no row."""
    for panel in plain["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel
