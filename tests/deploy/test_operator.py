"""What stands in deploy/kubernetes for the Prometheus operator, held to the schemas that it publishes."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

DEPLOY = Path(__file__).parent.parent.parent / "deploy" / "kubernetes"
SCHEMAS = Path(__file__).parent / "schemas"
RESOURCES = [("pod-monitor.yaml", "podmonitors"), ("prometheus-rule.yaml", "prometheusrules")]


def both(file: str, kind: str) -> tuple[dict[str, Any], Draft202012Validator]:
    schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return yaml.safe_load((DEPLOY / file).read_text(encoding="utf-8")), Draft202012Validator(schema)


@pytest.mark.parametrize(("file", "kind"), RESOURCES)
def test_it_is_as_the_operator_s_schema_has_it(file: str, kind: str) -> None:
    resource, schema = both(file, kind)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in schema.iter_errors(resource)] == []


@pytest.mark.parametrize(
    ("file", "kind", "path", "wrong"),
    [
        (*RESOURCES[0], ("podMetricsEndpoints", 0, "intervall"), "15s"),
        (*RESOURCES[0], ("podMetricsEndpoints", 0, "interval"), "15 seconds"),
        (*RESOURCES[0], ("podMetricsEndpoints", 0, "relabelings", 0, "action"), "rename"),
        (*RESOURCES[1], ("groups", 0, "interval"), "1,5m"),
        (*RESOURCES[1], ("groups", 0, "rules", 0, "labels"), {"severity": 1}),
        (*RESOURCES[1], ("groups", 0, "rules", 0, "exprs"), "up"),
    ],
)
def test_a_mistake_would_be_found(file: str, kind: str, path: tuple[str | int, ...], wrong: object) -> None:
    resource, schema = both(file, kind)
    broken = deepcopy(resource)
    at: Any = broken["spec"]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = wrong
    assert list(schema.iter_errors(broken))
