"""One model: its newest values over time, drift of each feature, quality, performance, and one feature in full."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import select

from checks.base import Measurement
from checks.catalog import CATALOG
from checks.pictures.svg import svg
from monitor.store.results import measurements, reports, series_query
from monitor.store.results.distributions import WindowDistribution, distribution
from monitor.store.results.profile_reader import Unreadable
from monitor.store.results.series import Point, Series
from monitor.store.results.series_query import key_of
from monitor.store.tables import measurements as table
from monitor.web.context import WebContext
from monitor.web.errors import RefusalReason, Refused
from monitor.web.overview import ModelView, overview
from monitor.web.pages.shared import first, judging, main_performance, named, series, towards, whole
from monitor.web.segments import worst

SPANS = (24, 48, 168)
"""Windows that can be chosen; the heatmap of the longest has 25 × 168 cells."""
FEATURES_SHOWN = 25
ALERTS_SHOWN = 50
LISTED = 500
"""Features that can be chosen from a list; others by their name in the address."""
QUALITY = tuple(name for name, metric in CATALOG.items() if metric.check == "quality")
CHARTED = {
    "window_rows": "Predictions in a window",
    "drifted_features": "Drifted features",
}


@dataclass(frozen=True)
class Chart:
    title: str
    row: Measurement
    series: Series


@dataclass(frozen=True)
class FeatureRow:
    """One feature's values by column."""

    name: str
    cells: Mapping[str, Measurement]

    @property
    def worst(self) -> float:
        return max(towards(row) for row in self.cells.values())


@dataclass(frozen=True)
class PageRange:
    """What is looked at: so many windows up to a moment."""

    windows: int
    every: float
    until: float
    newest: float

    @property
    def since(self) -> float:
        return self.until - self.windows * self.every

    def query(self, **changes: Any) -> str:
        """The part of an address that says so."""
        values = {"windows": self.windows, "until": None if self.until == self.newest else self.until, **changes}
        return "&".join(f"{name}={value:.15g}" for name, value in values.items() if value is not None)


def model(services: WebContext, name: str, windows: int, until: float | None, feature: str) -> dict[str, Any]:
    """All that a model's page shows. Raises Refused for a model that is not watched."""
    seen = overview(services)
    view = next((view for view in seen.models if view.name == name), None)
    if view is None:
        raise Refused(RefusalReason.UNKNOWN_MODEL, "no model of this name is watched here")
    rows, every = whole(view.measurements), view.settings.windows.every
    newest = max((row.window.end for row in named(rows, "window_rows")), default=services.clock.time())
    span = PageRange(
        windows if windows in SPANS else SPANS[1],
        every,
        min(max(until, 0.0), newest) if until and isfinite(until) else newest,
        newest,
    )
    drift = ranked(services, view, span)
    charts = _charts(view, rows)
    chosen = feature or next((dict(row.labels)["feature"] for row in drift), "")
    wanted = [*charts.values(), *named(rows, "performance"), *drift[:FEATURES_SHOWN], *_of(rows, chosen)]
    points = series_query.read(services.engine, name, {key_of(row) for row in wanted}, span.since, span.until)
    ranks = [rank for _, of, rank in services.alerts.worst_states() if of == name]
    return {
        "seen": seen,
        "view": view,
        "span": span,
        "and_feature": f"&{urlencode({'feature': feature})}" if feature else "",
        "spans": SPANS,
        "rank": max(ranks, default=0),
        "alerts": services.alerts.alerts(name, limit=ALERTS_SHOWN),
        "incidents": services.alerts.incidents(name, limit=8),
        "charts": [Chart(title, row, series(row, title, points)) for title, row in charts.items()],
        "performance": [(row, series(row, dict(row.labels)["metric"], points)) for row in named(rows, "performance")],
        "drift": [(row, series(row, dict(row.labels)["feature"], points)) for row in drift[:FEATURES_SHOWN]],
        "features": sorted(dict(row.labels)["feature"] for row in drift)[:LISTED],
        "features_in_all": len(drift),
        **_quality(rows),
        **_feature(services, view, rows, chosen, span, points),
        "since": max(span.since, min((line[0].at for line in points.values()), default=span.until) - every),
        **dict(zip(("segments", "segments_in_all"), worst(view.measurements), strict=True)),
        "others": _others(rows),
        "runs": [run for run in measurements.last_runs(services.engine) if run["model"] == name],
        "reports": [item for item in reports.recent(services.engine, 100) if item.model == name][:10],
    }


def ranked(services: WebContext, view: ModelView, span: PageRange) -> list[Measurement]:
    """Each feature's drift as it stands: those that drifted most often in the span first, then the nearest to their
    limit."""
    here = table.c
    query = select(here.detail).where(
        here.model == view.name,
        here.name == "drifted_features",
        here.labels == "{}",
        here.window_end > span.since,
        here.window_end <= span.until,
    )
    often: Counter[str] = Counter()
    with services.engine.connect() as connection:
        for detail in connection.scalars(query):
            often.update(item["feature"] for item in json.loads(detail).get("features", ()))

    def order(row: Measurement) -> tuple[float, float, str]:
        feature = dict(row.labels)["feature"]
        return -often[feature], -towards(row), feature

    return sorted(judging(view, "feature_drift"), key=order)


def _charts(view: ModelView, rows: Sequence[Measurement]) -> dict[str, Measurement]:
    found = {title: first(rows, name) for name, title in CHARTED.items()}
    drift = judging(view, "prediction_drift")
    found["Drift of the predictions"] = drift[0] if drift else None
    performance = main_performance(rows)
    if performance is not None:
        found[dict(performance.labels)["metric"].replace("_", " ").capitalize()] = performance
    found["Labels that have arrived"] = first(rows, "label_coverage_ratio")
    return {title: row for title, row in found.items() if row is not None}


def _of(rows: Sequence[Measurement], feature: str) -> list[Measurement]:
    """All that was measured of a feature."""
    return [row for row in rows if dict(row.labels).get("feature") == feature]


def _feature(
    services: WebContext,
    view: ModelView,
    rows: Sequence[Measurement],
    feature: str,
    span: PageRange,
    points: Mapping[series_query.Key, Sequence[Point]],
) -> dict[str, Any]:
    own = _of(rows, feature)
    charts = []
    for row in own:
        method = dict(row.labels).get("method")
        title = f"Drift by {method}" if method else row.name.removesuffix("_ratio").replace("_", " ").capitalize()
        line = series(row, title, points)
        if method or any(point.value for point in line.points):
            charts.append(Chart(title, row, line))
    shown, problem = _distribution(services, view, feature, span.until)
    return {
        "feature": feature,
        "feature_known": bool(own),
        "feature_charts": charts,
        "shown": shown,
        "picture": Markup(svg(shown.distribution)) if shown else None,
        "unreadable": problem,
    }


def _distribution(
    services: WebContext, view: ModelView, feature: str, end: float
) -> tuple[WindowDistribution | None, str]:
    try:
        return (distribution(services.engine, view.name, f"f:{feature}", end) if feature else None), ""
    except Unreadable as error:
        return None, str(error)


def _quality(rows: Sequence[Measurement]) -> dict[str, Any]:
    """Features by quality measure, worst first; those of which nothing is wrong are counted only."""
    cells: dict[str, dict[str, Measurement]] = defaultdict(dict)
    for row in rows:
        if row.name in QUALITY:
            cells[dict(row.labels)["feature"]][row.name] = row
    found = [FeatureRow(name, own) for name, own in cells.items()]
    wrong = sorted((row for row in found if row.worst > 0), key=lambda row: (-row.worst, row.name))
    used = [name for name in QUALITY if any(name in row.cells for row in found)]
    return {
        "quality": wrong[:FEATURES_SHOWN],
        "quality_in_all": len(found),
        "quality_wrong": len(wrong),
        "columns": used,
    }


def _others(rows: Sequence[Measurement]) -> list[Measurement]:
    """What has no chart or table of its own: the server, probes, counts."""
    shown = {
        "check_failing",  # the table of checks says it
        "segment_measurements_cut",
        "window_end_timestamp_seconds",
        "performance",
        "performance_reference",
        "evidently_value",
        *CHARTED,
        "label_coverage_ratio",
        "prediction_drift",
    }
    order = list(CATALOG)
    others = [row for row in rows if row.name not in shown and "feature" not in dict(row.labels)]
    return sorted(others, key=lambda row: (order.index(row.name) if row.name in order else len(order), row.labels))
