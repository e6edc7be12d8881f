"""Every expression of the dashboards and of the exported rules, before a real Prometheus over a daemon with data.

What gives no data there stands in EMPTY, with one of two reasons. The GPU is the stand-in for NVIDIA's library.
"""

from __future__ import annotations

import json
import re
import urllib.error
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import pytest
import yaml

from tests.e2e.process import wait_for
from tests.e2e.serving import model_server
from tests.e2e.watched import Watched, watched
from tests.grafana.expressions import Asked, expressions

ERROR: Literal["needs an error to have happened"] = "needs an error to have happened"
GPU: Literal["needs a GPU"] = "needs a GPU"
Reason = Literal["needs an error to have happened", "needs a GPU"]
EMPTY: dict[str, Reason] = {
    "system / Questions that failed / A": ERROR,
    "self / Degraded / A": ERROR,
    "self / Samples not taken / A": ERROR,
    "self / Jobs that failed / A": ERROR,
    "self / Series dropped / A": ERROR,
}
"""By dashboard, panel and query."""
ELSEWHERE = {"model / Evidently's numbers / A"}
"""Asked for in tests/e2e/test_report.py, where Evidently runs anyway."""


def selectors(expr: str) -> set[str]:
    return set(re.findall(r"watchkeeper_\w+(?:\{[^}]*\})?", expr))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with model_server() as address, watched(tmp_path_factory.mktemp("watched"), address) as scene:
        yield scene


def gives(scene: Watched, asked: Asked) -> bool:
    try:
        return bool(scene.prometheus.ask(asked.expr))
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{asked.name}: {asked.expr}: {json.load(error)['error']}") from None


def silent(scene: Watched) -> dict[str, str]:
    """What gives no data, and what it asks for."""
    return {one.name: one.expr for one in expressions() if one.name not in ELSEWHERE and not gives(scene, one)}


def test_every_expression_of_every_dashboard_gives_data(scene: Watched) -> None:
    assert len(list(expressions())) > 120
    with suppress(AssertionError):  # the one below says which
        wait_for(lambda: silent(scene).keys() <= EMPTY.keys(), "all give data", 40)
    assert silent(scene).keys() == EMPTY.keys(), "what gives data does not belong into the list"


def test_prometheus_evaluates_every_rule_and_every_record_gives_data(scene: Watched) -> None:
    groups = scene.prometheus.get("/api/v1/rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == sum(len(group["rules"]) for group in yaml.safe_load(scene.rules)["groups"]) > 35
    assert not {rule["name"]: rule["lastError"] for rule in rules if rule["health"] == "err"}
    assert all(rule["health"] == "ok" for rule in rules)
    records = {rule["name"] for rule in rules if rule["type"] == "recording"}
    assert len(records) > 15
    assert {name for name in records if not scene.prometheus.ask(name)} == set()


def test_every_series_that_a_rule_looks_at_is_there(scene: Watched) -> None:
    """An alert's expression gives nothing while all is well; what it is made of does."""
    groups = yaml.safe_load(scene.rules)["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    looked = {found for rule in alerts for found in selectors(rule["expr"])}
    assert len(looked) > 15
    missing = {found for found in looked if not scene.prometheus.ask(found)}
    assert not missing


def test_the_only_reasons_are_a_gpu_and_an_error() -> None:
    assert set(EMPTY.values()) <= {ERROR, GPU}
