"""Exported rules before Debian's promtool."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alerts.rules.rule import Rule
from tests.servers.prometheus import promtool

K = TypeVar("K")
EVERY = 15.0
"""Seconds between evaluations."""


def rule(**keys: Any) -> Rule:
    """A rule `r` on load1_ratio, for which no data is fine, unless told otherwise."""
    policy = {} if "absent" in keys else {"no_data": "ok"}
    return Rule.model_validate({"name": "r", "metric": "load1_ratio", **policy, **keys})


@dataclass(frozen=True)
class Trial:
    """A rule file, and what promtool is to test of it."""

    rules: str
    tests: Sequence[Mapping[str, Any]]


def tried(folder: Path, trials: Mapping[K, Trial]) -> dict[K, str]:
    """Return what promtool, started once, says of each trial: `SUCCESS`, or what is wrong and the rules."""
    files = [_written(folder / f"{number}.yml", trial) for number, trial in enumerate(trials.values())]
    told = promtool("test", "rules", *map(str, files), together=True)
    said = [part.partition("\n")[2].strip() for part in told.stdout.split("Unit Testing:")[1:]]
    assert len(said) == len(trials), told.stdout
    assert (told.returncode == 0) == (set(said) == {"SUCCESS"}), told.stdout
    return {
        name: text if text == "SUCCESS" else f"{text}\n{trial.rules}"
        for (name, trial), text in zip(trials.items(), said, strict=True)
    }


def _written(test: Path, trial: Trial) -> Path:
    rules = test.with_suffix(".rules.yml")
    rules.write_text(trial.rules)
    whole = {
        "rule_files": [rules.name],
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", **each} for each in trial.tests],
    }
    test.write_text(json.dumps(whole, ensure_ascii=False))  # YAML too, and written ten times as fast
    return test


def passes(folder: Path, rules: str, *tests: dict[str, Any]) -> None:
    """Has promtool test the rules."""
    assert tried(folder, {"": Trial(rules, tests)}) == {"": "SUCCESS"}


def is_read(folder: Path, rules: str) -> None:
    """Has promtool read the rules."""
    (folder / "rules.yml").write_text(rules)
    told = promtool("check", "rules", str(folder / "rules.yml"))
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr + rules
