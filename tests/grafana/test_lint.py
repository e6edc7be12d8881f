"""The rules of Grafana's dashboard-linter (github.com/grafana/dashboard-linter), said anew, for every panel type."""

from __future__ import annotations

import re
from typing import Any

import pytest

from grafana.classic import panels
from tests.grafana.test_dashboards import BOARDS, board

UNITS = {
    *("none", "short", "percentunit", "s", "bytes", "reqps", "cps", "celsius", "watt", "hertz", "Bps", "dateTimeAsIso"),
}
"""Of the linter's list, those in use."""
RATES = ("rate", "irate", "increase")
SELECTOR = re.compile(r"(?<![\w:])((?:instance_\w+:)?watchkeeper_\w+(?::\w+)?)(\{[^}]*\})?(\[[^\]]*\])?")
CALL = re.compile(r"(\w+)\s*\(\s*$")


def targets(name: str) -> list[tuple[dict[str, Any], str]]:
    return [(panel, target["expr"]) for panel in panels(board(name)) for target in panel["targets"]]


def variable(name: str, which: str) -> dict[str, Any]:
    (found,) = [item for item in board(name)["templating"]["list"] if item["name"] == which]
    return dict(found)


@pytest.mark.parametrize("name", BOARDS)
def test_template_datasource_rule(name: str) -> None:
    source = variable(name, "datasource")
    assert (source["type"], source["query"], source["label"]) == ("datasource", "prometheus", "Data source")


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("which", ["job", "instance"])
def test_template_job_rule_and_template_instance_rule(name: str, which: str) -> None:
    found = variable(name, which)
    assert (found["type"], found["label"], found["multi"], found["allValue"]) == ("query", which.title(), True, ".+")
    assert found["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("name", BOARDS)
def test_template_label_promql_rule_and_template_on_time_change_reload_rule(name: str) -> None:
    for found in board(name)["templating"]["list"]:
        if found["type"] == "query":
            assert re.fullmatch(r"label_values\(.+, \w+\)", found["query"]["query"]), found["name"]
            assert found["refresh"] == 2, found["name"]


@pytest.mark.parametrize("name", BOARDS)
def test_panel_datasource_rule_and_panel_no_targets_rule(name: str) -> None:
    for panel in panels(board(name)):
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert panel["targets"], panel["title"]
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"]), panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_panel_title_description_rule_and_panel_units_rule(name: str) -> None:
    for panel in panels(board(name)):
        assert panel["title"] and panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_target_job_rule_and_target_instance_rule(name: str) -> None:
    for panel, expr in targets(name):
        found = SELECTOR.findall(expr)
        assert found, expr
        for metric, matchers, _ in found:
            assert 'job=~"$job"' in matchers and 'instance=~"$instance"' in matchers, f"{panel['title']}: {metric}"


@pytest.mark.parametrize("name", BOARDS)
def test_target_counter_agg_rule_and_target_rate_interval_rule(name: str) -> None:
    for panel, expr in targets(name):
        for found in SELECTOR.finditer(expr):
            before = CALL.search(expr[: found.start()])
            function = before[1] if before else ""
            if found[1].endswith(("_total", "_bucket", "_count")):
                assert found[3] and function in RATES, f"{panel['title']}: {expr}"
            if function in ("rate", "irate"):
                assert found[3] == "[$__rate_interval]", f"{panel['title']}: {expr}"


@pytest.mark.parametrize("name", BOARDS)
def test_uneditable_dashboard(name: str) -> None:
    assert board(name)["editable"] is False


def test_a_rate_is_taken_before_anything_is_added_up() -> None:
    for name in BOARDS:
        for panel, expr in targets(name):
            assert not re.search(r"rate\(\s*(sum|max|min|avg|count)\b", expr), f"{panel['title']}: {expr}"
