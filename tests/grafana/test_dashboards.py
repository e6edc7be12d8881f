"""The committed dashboards: fresh, as Grafana's published types have them, and about metrics that there are."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from prometheus_client import CollectorRegistry

from alerts.promql.recording import recording
from checks.catalog import BESIDE, CATALOG
from grafana.__main__ import FOLDER, files
from grafana.classic import panels
from monitor.telemetry.metrics import Meters

SCHEMAS = Path("grafana/schema")
BOARDS = sorted(files())
VARIABLES = {
    "watchkeeper-model.json": ["datasource", "job", "instance", "model", "metric", "method", "segment", "page"],
    "watchkeeper-alerts.json": ["datasource", "job", "instance", "model", "objective", "page"],
}


@cache
def schema(release: int) -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / f"grafana-{release}.schema.json").read_text()))


def board(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return loaded


def known() -> set[str]:
    """The name of every series that there may be."""
    registry = CollectorRegistry()
    Meters(registry)
    own = {metric.name for metric in registry.collect()}
    own |= {f"{metric.name}_total" for metric in registry.collect() if metric.type == "counter"}
    own |= {f"watchkeeper_check_duration_seconds_{part}" for part in ("bucket", "count", "sum")}
    measured = [*CATALOG, *(beside.name for several in BESIDE.values() for beside in several)]
    shown = {f"watchkeeper_{name}" for name in (*measured, "alert_state", "series_dropped")}
    return own | shown | {rule["record"] for group in recording("15s") for rule in group["rules"]}


def test_what_is_committed_is_what_the_code_makes() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == files(), "run `make dashboards`"


@pytest.mark.parametrize("release", [10, 13])
@pytest.mark.parametrize("name", BOARDS)
def test_each_is_as_grafana_s_published_types_have_it(name: str, release: int) -> None:
    wrong = [
        f"{list(error.absolute_path)}: {error.message[:300]}" for error in schema(release).iter_errors(board(name))
    ]
    assert not wrong


@pytest.mark.parametrize("release", [10, 13])
def test_the_schemas_refuse_what_is_none_of_grafana_s(release: int) -> None:
    for path, value in (
        (("panels", 1, "options", "graphModes"), "area"),
        (("panels", 1, "fieldConfig", "defaults", "unti"), "s"),
        (("panels", 1, "type"), "singlestat"),
        (("panels", 1, "targets", 0, "query"), "up"),
        (("templating", "list", 0, "refresh"), 7),
        (("schemaVersion",), "39"),
    ):
        broken = board("watchkeeper-fleet.json")
        place: Any = broken
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        assert not schema(release).is_valid(broken), path


@pytest.mark.parametrize("name", BOARDS)
def test_every_metric_that_is_asked_for_exists(name: str) -> None:
    text = json.dumps(board(name))
    asked = set(re.findall(r"(?:instance_\w+:)?watchkeeper_\w+(?::\w+)?", text))
    assert len(asked) > 10
    assert asked <= known(), sorted(asked - known())


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_says_what_it_means_and_why_it_may_be_empty(name: str) -> None:
    for panel in panels(board(name)):
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert len(panel["fieldConfig"]["defaults"]["noValue"]) > 5, panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_beside_each_other(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    whole = board(name)
    ids = [panel["id"] for panel in (*whole["panels"], *(p for row in whole["panels"] for p in row.get("panels", [])))]
    assert len(set(ids)) == len(ids)
    for panel in whole["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_variables_links_and_alerts_of_each(name: str) -> None:
    whole = board(name)
    usual = ["datasource", "job", "instance", "model", "page"]
    assert [variable["name"] for variable in whole["templating"]["list"]] == VARIABLES.get(name, usual)
    links = {link["title"]: link for link in whole["links"]}
    assert links["Status page"]["url"] == "${page}/"
    assert links["Reports"]["url"].startswith("${page}/api/v1/reports")
    assert (links["Watchkeeper"]["type"], links["Watchkeeper"]["keepTime"]) == ("dashboards", True)
    (annotation,) = whole["annotations"]["list"]
    assert annotation["expr"].startswith("watchkeeper_alert_state{")
    assert whole["uid"] == name.removesuffix(".json")
