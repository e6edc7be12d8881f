"""Every expression that the dashboards ask Prometheus for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grafana.__main__ import files
from grafana.classic import panels

VALUES = {
    "job": ".+",
    "instance": ".+",
    "model": ".+",
    "metric": ".+",
    "method": ".+",
    "segment": ".+",
    "objective": "0.999",
    "__rate_interval": "15s",
    "__range": "10m",
}
"""The variables at 'All', in a Prometheus that scrapes each second."""


@dataclass(frozen=True)
class Asked:
    name: str
    expr: str


def filled(expr: str) -> str:
    """With the dashboards' variables at 'All'."""
    return re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda found: VALUES[found[1] or found[2]], expr)


def expressions() -> Iterator[Asked]:
    """Of every panel, annotation and variable."""
    for file, text in files().items():
        board = json.loads(text)
        name = file.removesuffix(".json").removeprefix("watchkeeper-")
        for panel in panels(board):
            for target in panel["targets"]:
                yield Asked(f"{name} / {panel['title']} / {target['refId']}", filled(target["expr"]))
        for annotation in board["annotations"]["list"]:
            yield Asked(f"{name} / annotation {annotation['name']}", filled(annotation["expr"]))
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
                yield Asked(
                    f"{name} / variable {variable['name']}", f"count by ({label}) ({{{filled(inner(series))}}})"
                )


def inner(series: str) -> str:
    """A selector's matchers, its name among them."""
    name, _, matchers = series.rstrip("}").partition("{")
    named = f'__name__="{name}"' if name else ""
    return ",".join(part for part in (named, matchers) if part)
