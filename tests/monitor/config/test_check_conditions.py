"""What a config may say under `while:`."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.load import load


def _load(folder: Path, rule: str) -> None:
    path = folder / "watchkeeper.yaml"
    path.write_text(f"model: delays\nrules:\n  - {rule}\nserver: {{url: 'http://127.0.0.1:8080'}}\n")
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


def test_rules_may_not_wait_for_each_other(tmp_path: Path) -> None:
    rules = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
    text = [f"{{name: {name}, metric: load1_ratio, above: 2, while: [{{rule: {other}}}]}}" for name, other in rules]
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, "\n  - ".join(text))
    said = "rule 'a': while: a rule can't wait for itself: a waits for b, which waits for c, which waits for a"
    assert [problem.line for problem in raised.value.problems] == [3, 4, 5], "d waits for them and is in no circle"
    assert said in str(raised.value)


def test_a_rule_may_not_wait_for_a_shipped_one_that_waits_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="latency-high waits for gpu-saturated, which waits for latency-high"):
        _load(tmp_path, "{name: latency-high, metric: latency_p95_seconds, above: 1, while: [{rule: gpu-saturated}]}")
