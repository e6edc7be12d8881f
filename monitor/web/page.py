"""The page at /: what is watched, what was found, who was told; rendered here, no script, nothing from elsewhere."""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response, get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromQuery
from markupsafe import Markup

from alerts.duration import span
from alerts.wording import clean, number, quantity, stamp
from checks.base import Measurement
from checks.catalog import CATALOG
from monitor.metrics import release
from monitor.store import measurements, pictures, reports
from monitor.web.overview import ModelView, overview
from monitor.web.segments import SegmentRow, worst
from monitor.web.services import Services

REFRESH_SECONDS = 15
FEATURES_SHOWN = 25
ALERTS_SHOWN = 100
INCIDENTS_SHOWN = 15
REPORTS_SHOWN = 20


@dataclass(frozen=True)
class FeatureRow:
    """One feature's values by column: drift methods and quality measures."""

    name: str
    cells: dict[str, Measurement]

    @property
    def worst(self) -> float:
        """How far the worst of its values is towards its limit, or its value where it has none."""
        return max(_towards(row) for row in self.cells.values())


def _towards(row: Measurement) -> float:
    value = row.value or 0.0
    if row.limit_high:
        return value / row.limit_high
    if row.limit_low and row.value is not None:  # a p-value: at its limit at 1, below it above
        return min(row.limit_low / max(value, 1e-300), 1e6)
    return value


@dataclass(frozen=True)
class ModelTables:
    """A model's values in the tables that the page shows."""

    view: ModelView
    performance: list[Measurement]
    columns: list[str]
    features: list[FeatureRow]
    others: list[Measurement]
    segments: list[SegmentRow]
    segments_in_all: int

    @property
    def hidden(self) -> int:
        return max(0, len(self.features) - FEATURES_SHOWN)


def tables(view: ModelView) -> ModelTables:
    """Sorts a model's measurements into tables; features with the worst values first."""
    cells: dict[str, dict[str, Measurement]] = defaultdict(dict)
    columns: dict[str, None] = {}
    performance: list[Measurement] = []
    others: list[Measurement] = []
    for row in view.measurements:
        labels = dict(row.labels)
        if row.name == "evidently_value" or "segment" in labels:
            continue  # hundreds of numbers; the reports show them, and a table of their own the worst segments
        if row.name in ("performance", "performance_reference"):
            if row.name == "performance":
                performance.append(row)
        elif "feature" in labels:
            column = labels.get("method") or row.name.removesuffix("_ratio").replace("_", " ")
            columns[column] = None
            cells[labels["feature"]][column] = row
        else:
            others.append(row)
    features = sorted(
        (FeatureRow(name, found) for name, found in cells.items()), key=lambda row: (-row.worst, row.name)
    )
    order = list(CATALOG)
    others.sort(key=lambda row: (order.index(row.name) if row.name in order else len(order), row.labels))
    return ModelTables(view, performance, list(columns), features, others, *worst(view.measurements))


def handlers(services: Services) -> list[HTTPRouteHandler]:
    templates = environment()

    @get("/", sync_to_thread=True, include_in_schema=False)
    def page(refresh: FromQuery[str] = "on") -> Response[str]:
        """The status page."""
        nonce = secrets.token_urlsafe(16)
        # Compiled when somebody looks: 3 MB that a sidecar whose page nobody opens does without.
        template = templates.get_template("page.html")
        html = template.render(gather(services), nonce=nonce, refresh=REFRESH_SECONDS if refresh != "off" else None)
        return Response(html, media_type="text/html", headers=headers(nonce))

    return [page]


def gather(services: Services) -> dict[str, Any]:
    """All that the template shows."""
    seen = overview(services)
    incidents = services.alerts.incidents(limit=INCIDENTS_SHOWN)
    linked = [link["id"] for incident in incidents for link in incident.get("reports") or []]
    drawn = [incident["picture"]["id"] for incident in incidents if incident.get("picture")]
    return {
        "seen": seen,
        "models": [tables(view) for view in seen.models],
        "host": seen.host,
        "alerts": services.alerts.alerts(limit=ALERTS_SHOWN),
        "incidents": incidents,
        "silences": services.alerts.list_silences(seen.now),
        "owed": services.alerts.pending(),
        "runs": measurements.last_runs(services.engine),
        "reports": reports.recent(services.engine, REPORTS_SHOWN),
        "pictures_kept": pictures.kept(services.engine, drawn),
        "reports_kept": reports.kept(services.engine, linked),
        "release": release(),
        "features_shown": FEATURES_SHOWN,
    }


def headers(nonce: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def environment() -> Environment:
    """Jinja with escaping everywhere, without control characters in anything shown, and words for numbers."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "quantity": lambda value, metric: quantity(metric, value),
        "number": number,
        "stamp": stamp,
        "span": span,
        "words": lambda name: str(name).removesuffix("_seconds").removesuffix("_ratio").replace("_", " "),
    }
    return made


def _shown(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return "" if value is None else value
