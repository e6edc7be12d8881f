"""Writes docs/metrics.md: every series of /metrics, from the catalogue and the registry that serve it.

python -m docs.make.metrics
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family

from checks.base import Measurement, Window
from checks.catalog import BESIDE, CATALOG, NOT_JUDGED, Metric
from monitor.config.rules_in_force import default_rules
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import PREFIX, LatestCollector, Meters

OUT = Path(__file__).parents[1] / "metrics.md"
HEAD = """# Metrics

Every series of `/metrics`, made by `python -m docs.make.metrics`. A series without a value is absent: it neither
freezes nor becomes 0. A label that has no value is left out: `segment` of the whole window, `over` of a single window,
`model` of what belongs to the machine. Rules name the measurements without the prefix `watchkeeper_`.
[Prometheus](prometheus.md) has the scrape config.
"""
Row = tuple[str, str, Iterable[str], str]
JUDGED = """## What the shipped rules judge

A rule of [config/rules.yaml](../config/rules.yaml) judges each measurement, or a reason says why none has to.

| measurement | rule, or why there is none |
| --- | --- |
"""


def text() -> str:
    """The page."""
    event = [row for name, entry in CATALOG.items() if entry.clock == "event" for row in _measured(name, entry)]
    wall = [row for name, entry in CATALOG.items() if entry.clock == "wall" for row in _measured(name, entry)]
    state, dropped = _collected()
    return "\n".join(
        [
            HEAD,
            *_table("Of windows", "Measured once a window of event time has closed.", event),
            *_table("Sampled", "Of the server, the machine and probes, as they are now.", wall),
            *_table("Alerts", "", [state]),
            *_table("Watchkeeper's own work", "", sorted([dropped, *_own()])),
            JUDGED + "\n".join(_judged()),
            "",
        ]
    )


def _judged() -> Iterator[str]:
    rules = default_rules()
    for name in CATALOG:
        by = ", ".join(f"`{rule.name}`" for rule in rules if rule.metric == name)
        yield f"| `{name}` | {by or NOT_JUDGED[name]} |"


def _measured(name: str, entry: Metric) -> Iterator[Row]:
    labels = ("model", *entry.labels)
    yield name, entry.kind, labels, entry.help
    for beside in BESIDE.get(name, ()):
        yield beside.name, "gauge", labels, beside.help


class _Noted(CollectorRegistry):
    """A registry that says what was registered."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Any] = []

    def register(self, collector: Any) -> None:
        super().register(collector)
        self.noted.append(collector)


def _own() -> list[Row]:
    registry = _Noted()
    Meters(registry)
    rows: list[Row] = []
    for one in registry.noted:
        [family] = one.describe()
        ending = "_total" if family.type == "counter" else ""
        # Labels are nowhere else to be had: a family without samples names none.
        rows.append((family.name.removeprefix(PREFIX) + ending, family.type, one._labelnames, family.documentation))
    return rows


class _Firing:
    """One rule, of which an alert fires."""

    def worst_states(self) -> Iterable[tuple[str, str, int]]:
        return [("rule", "model", 2)]


def _collected() -> tuple[Row, Row]:
    """The state of alerts, and what is dropped where there are more series than may be: here more than none."""
    latest = Latest()
    latest.put("model", [Measurement("window_rows", 1.0, Window(0.0, 1.0))])
    *_, dropped, state = LatestCollector(latest, _Firing(), max_series=0).collect()
    return _family(state), _family(dropped)


def _family(family: Family) -> Row:
    name = family.name.removeprefix(PREFIX)
    return name, family.type, tuple(family.samples[0].labels), family.documentation


def _table(title: str, told: str, rows: Iterable[Row]) -> list[str]:
    lines = [
        f"## {title}",
        "",
        *([told, ""] if told else []),
        "| metric | type | labels | |",
        "| --- | --- | --- | --- |",
    ]
    for name, kind, labels, help in rows:
        named = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{PREFIX}{name}` | {kind} | {named} | {help} |")
    return [*lines, ""]


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
