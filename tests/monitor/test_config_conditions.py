"""What a config may say under `while:`."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import ConfigError, load


def _load(folder: Path, rule: str) -> None:
    path = folder / "watchkeeper.yaml"
    path.write_text(f"model: delays\nrules:\n  - {rule}\n")
    load(path, {})


def test_a_rule_may_name_a_sampled_metric_or_a_rule_over_one(tmp_path: Path) -> None:
    _load(tmp_path, "{name: a, metric: load1_ratio, above: 2, while: [{rule: cpu-high}]}")
    _load(tmp_path, "{name: a, metric: load1_ratio, above: 2, while: [{metric: request_rate, above: 1}]}")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{rule: cpu-hihg}", "did you mean 'cpu-high'?"),
        ("{rule: a}", "can't wait for itself"),
        ("{rule: accuracy-low}", "steps once a window"),
        ("{metric: request_rat, above: 1}", "did you mean 'request_rate'?"),
        ("{metric: feature_drift, above: 1}", "measured once a window"),
        ("{metric: request_rate, match: {scope: host}, above: 1}", "has no label 'scope'"),
    ],
)
def test_says_what_is_wrong_with_a_condition(tmp_path: Path, condition: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, f"{{name: a, metric: load1_ratio, above: 2, while: [{condition}]}}")
    assert said in str(raised.value)
    assert raised.value.line == 3


def test_rules_over_windows_take_no_condition(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="measured once a window"):
        _load(tmp_path, "{name: a, metric: window_rows, below: 2, while: [{rule: cpu-high}]}")
