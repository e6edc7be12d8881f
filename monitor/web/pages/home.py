"""The overview: what is watched, what is open, the newest values of each model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checks.base import Measurement
from monitor.store.results import series_query
from monitor.store.results.series import Series
from monitor.web.context import WebContext
from monitor.web.overview import ModelView, overview
from monitor.web.pages.shared import first, judging, main_performance, series, whole

ALERTS_SHOWN = 50
INCIDENTS_SHOWN = 15
WINDOWS = 24
"""Of which a model's lines tell."""
STATES = ("nothing firing", "pending", "firing")


@dataclass(frozen=True)
class CardLine:
    """A value and how it came to it."""

    word: str
    row: Measurement
    series: Series | None = None


@dataclass(frozen=True)
class Card:
    """One model at a glance."""

    view: ModelView
    rank: int
    """0 nothing firing, 1 pending, 2 firing."""
    lines: list[CardLine]
    since: float
    until: float

    @property
    def state(self) -> str:
        return STATES[self.rank]


def home(services: WebContext) -> dict[str, Any]:
    """All that the overview shows; models that fire come first."""
    seen = overview(services)
    ranks: dict[str, int] = {}
    for _, model, rank in services.alerts.worst_states():
        ranks[model] = max(rank, ranks.get(model, 0))
    cards = [_card(services, view, ranks.get(view.name, 0)) for view in seen.models]
    return {
        "seen": seen,
        "cards": sorted(cards, key=lambda card: -card.rank),
        "host": seen.host,
        "alerts": services.alerts.alerts(limit=ALERTS_SHOWN + 1)[:ALERTS_SHOWN],
        "incidents": services.alerts.incidents(open_only=True, limit=INCIDENTS_SHOWN),
        "owed": services.alerts.pending(),
    }


def _card(services: WebContext, view: ModelView, rank: int) -> Card:
    rows = whole(view.measurements)
    performance = main_performance(rows)
    drift = judging(view, "prediction_drift")
    charted = {
        "predictions": first(rows, "window_rows"),
        "performance": performance,
        "drifted features": first(rows, "drifted_features"),
        "prediction drift": drift[0] if drift else None,
    }
    if performance is not None:
        charted[dict(performance.labels)["metric"]] = charted.pop("performance")
    plain = {
        "labels": first(rows, "label_coverage_ratio"),
        "latency p95": first(rows, "latency_p95_seconds"),
        "errors": first(rows, "error_ratio"),
        "requests a second": first(rows, "request_rate"),
    }
    until = max((row.window.end for row in charted.values() if row), default=services.clock.time())
    since = until - WINDOWS * view.settings.windows.every
    known = {word: row for word, row in charted.items() if row is not None}
    points = series_query.read(services.engine, view.name, map(series_query.key_of, known.values()), since, until)
    lines = [CardLine(word, row, series(row, word, points)) for word, row in known.items()]
    lines += [CardLine(word, row) for word, row in plain.items() if row is not None]
    return Card(view, rank, lines, since, until)
