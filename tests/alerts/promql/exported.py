"""Exported rules before Debian's promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from alerts.rules.rule import Rule
from tests.servers.prometheus import promtool

EVERY = 15.0
"""Seconds between evaluations."""


def rule(**keys: Any) -> Rule:
    """A rule `r` on load1_ratio, for which no data is fine, unless told otherwise."""
    policy = {} if "absent" in keys else {"no_data": "ok"}
    return Rule.model_validate({"name": "r", "metric": "load1_ratio", **policy, **keys})


def passes(folder: Path, rules: str, *tests: dict[str, Any]) -> None:
    """Has promtool test the rules."""
    (folder / "rules.yml").write_text(rules)
    each = [{"interval": "15s", **test} for test in tests]
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": each}
    (folder / "test.yml").write_text(yaml.safe_dump(whole))
    told = promtool("test", "rules", str(folder / "test.yml"))
    assert told.returncode == 0, told.stdout + told.stderr + rules


def is_read(folder: Path, rules: str) -> None:
    """Has promtool read the rules."""
    (folder / "rules.yml").write_text(rules)
    told = promtool("check", "rules", str(folder / "rules.yml"))
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr + rules
