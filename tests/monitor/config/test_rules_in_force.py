"""Which rules are in force: the shipped ones, and what a config makes of them."""

from __future__ import annotations

from pathlib import Path

from alerts.rules.rule import Rule
from checks.catalog import CATALOG
from monitor.config.load import load
from monitor.config.rules_in_force import all_rules, default_rules


def rules(folder: Path, text: str) -> dict[str, Rule]:
    file = folder / "watchkeeper.yaml"
    file.write_text(f"model: a\n{text}", "utf-8")
    return {rule.name: rule for rule in all_rules(load(file, {}))}


def test_shipped_rules_are_changed_replaced_disabled_and_added_to(tmp_path: Path) -> None:
    shipped = {rule.name: rule for rule in default_rules()}
    own = rules(
        tmp_path,
        "rules:\n"
        "- {name: cpu-high, above: 0.5}\n- {name: memory-high, for: 1h}\n"
        "- {name: disk-full, metric: disk_used_bytes, above: 1e9}\n"
        "- {name: no-traffic, enabled: false}\n"
        "- {name: mine, metric: window_rows, below: 10}\n",
    )
    assert own["cpu-high"].above is not None and own["cpu-high"].above.value == 0.5
    assert own["cpu-high"].summary == shipped["cpu-high"].summary
    assert own["cpu-high"].for_ == shipped["cpu-high"].for_
    assert own["cpu-high"].clear is None, "the shipped clear level would lie above the new level"
    assert own["memory-high"].clear == shipped["memory-high"].clear
    assert own["disk-full"].summary == "" and own["disk-full"].for_.seconds == 0
    assert set(own) == set(shipped) - {"no-traffic"} | {"mine"}


def test_without_default_rules_only_the_configs_are_in_force(tmp_path: Path) -> None:
    assert set(rules(tmp_path, "default_rules: false\nrules: [{name: cpu-high}]\n")) == {"cpu-high"}


def test_the_shipped_rules_cover_what_is_promised() -> None:
    shipped = default_rules()
    watched = {rule.metric for rule in shipped}
    assert watched >= {
        "cpu_utilization_ratio",
        "memory_utilization_ratio",
        "disk_utilization_ratio",
        "server_up",
        "server_process_up",
        "server_restarts_recent",
        "server_fd_utilization_ratio",
        "cpu_throttled_ratio",
        "oom_kills_recent",
        "pressure_ratio",
        "latency_p95_seconds",
        "error_ratio",
        "performance",
        "feature_drift",
        "prediction_drift",
        "missing_ratio",
        "new_category_ratio",
        "type_mismatch_ratio",
        "prediction_age_seconds",
        "check_failing",
    }
    assert watched <= set(CATALOG)
    assert all(rule.summary and rule.action and rule.group for rule in shipped)
