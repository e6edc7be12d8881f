"""Remarks on settings whose unit was probably mistaken, and silence about those that are usual."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.cli.remarks import config_remarks, model_remarks, reference_remarks
from monitor.config.rules_in_force import default_rules
from monitor.settings.root import Config


def remarked(**keys: Any) -> list[str]:
    config = Config.model_validate({"models": [{"model": "m", **keys.pop("model", {})}], **keys})
    rules = [*default_rules(), *config.rules]
    return [*model_remarks(config.models[0]), *config_remarks(config, rules)]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"model": {"labels": {"maturity": 7}}}, "labels.maturity is 7s"),
        ({"model": {"labels": {"maturity": 90}}}, "labels.maturity is 1m30s"),
        ({"model": {"windows": {"every": "1m"}}}, "windows.allowed_lateness is 5m, longer than a window (1m)"),
        ({"model": {"windows": {"every": 1, "allowed_lateness": 0}}}, "windows.every is 1s"),
        ({"model": {"windows": {"every": "60d"}}}, "windows.every is 60d"),
        ({"model": {"labels": {"maturity": "30d"}}}, "labels.maturity of m is 30d, but retention.events deletes"),
        ({"retention": {"events": 30}, "model": {"labels": {"maturity": 20}}}, "retention.events is 30s"),
        ({"acknowledged_for": 4}, "acknowledged_for is 4s"),
        ({"worker": {"timeout": 1}}, "worker.timeout is 1s"),
        ({"evaluate": "1d"}, "evaluate is 1d"),
        ({"rules": [{"name": "r", "metric": "server_up", "below": 1, "for": "10ms"}]}, "`for` of rule r is 10ms"),
    ],
)
def test_an_odd_setting_is_one_sentence(keys: dict[str, Any], words: str) -> None:
    found = remarked(**keys)
    assert any(remark.startswith(words) for remark in found), found
    assert all("\n" not in remark for remark in found)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"windows": {"every": "1d", "allowed_lateness": "6h"}, "labels": {"maturity": "10d"}},
        {"windows": {"every": "1m", "allowed_lateness": "30s"}, "labels": {"maturity": "1m"}},
        {"windows": {"every": "7d"}, "labels": {"maturity": "14d"}},
    ],
)
def test_usual_settings_pass_in_silence(model: dict[str, Any]) -> None:
    assert remarked(model=model) == []


def test_a_reference_is_too_small_below_two_windows() -> None:
    model = Config.model_validate({"models": [{"model": "m"}]}).models[0]
    assert "40 rows, too few" in next(reference_remarks(model, 40))
    assert list(reference_remarks(model, 399)) and not list(reference_remarks(model, 400))
