"""Runs files of rule tests, and says of each failed case what was expected and what came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from alerts.duration import span
from alerts.rules.rule import Rule
from monitor.config.rules_in_force import all_rules
from monitor.config.yaml_document import Document
from monitor.rule_tests.form import Case, Expected, RuleTestError, RuleTests, read
from monitor.rule_tests.play import FiredAlert, Player, database
from monitor.settings.root import Config


@dataclass(frozen=True)
class Failed:
    """A case that did not come out as expected."""

    path: Path
    line: int | None
    test: str
    case: Case
    got: tuple[FiredAlert, ...]
    pending: tuple[FiredAlert, ...]

    def __str__(self) -> str:
        """As promtool shows it: what was expected, what came."""
        head = f"{self.path}:{self.line}: {self.test + ': ' if self.test else ''}"
        lines = [f"{head}alertname: {self.case.alertname}, time: {span(self.case.eval_time)}"]
        lines += _listed("exp", [(item.exp_labels, item.exp_annotations) for item in self.case.exp_alerts])
        lines += _listed("got", [(found.labels, self._compared(found)) for found in self.got])
        for found in self.pending:
            assert found.pending is not None
            lines.append(f"    pending since {span(found.pending)}: {_pairs(found.labels)}")
        return "\n".join(lines)

    def _compared(self, found: FiredAlert) -> dict[str, str]:
        """The annotations that any expected alert names."""
        named = {name for item in self.case.exp_alerts for name in item.exp_annotations}
        return {name: text for name, text in found.annotations.items() if name in named}

    def to_dict(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "line": self.line,
            "test": self.test,
            "alertname": self.case.alertname,
            "eval_time_seconds": self.case.eval_time,
            "exp_alerts": [item.model_dump() for item in self.case.exp_alerts],
            "got_alerts": [{"labels": found.labels, "annotations": found.annotations} for found in self.got],
            "pending": [{"labels": found.labels, "since_seconds": found.pending} for found in self.pending],
        }


@dataclass(frozen=True)
class RuleTestOutcome:
    """How many cases there were, and those that failed."""

    cases: int = 0
    failed: tuple[Failed, ...] = ()


def run_tests(config: Config) -> RuleTestOutcome:
    """Runs the test files that a config names against the rules that it puts in force, as `run` does."""
    return run(_files(config.rule_tests), all_rules(config))


def run(paths: Iterable[Path], rules: Sequence[Rule]) -> RuleTestOutcome:
    """Raises RuleTestError when a file is wrong."""
    files = [(path, *read(path, {rule.name for rule in rules})) for path in paths]
    cases = sum(len(test.alert_rule_test) for _, tests, _ in files for test in tests.tests)
    with database() as engine:
        failed = [case for file in files for case in _failed(engine, *file, rules)]
    return RuleTestOutcome(cases, tuple(sorted(failed, key=lambda case: (case.path, case.line or 0))))


def _files(patterns: Iterable[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for pattern in map(Path, patterns):  # absolute
        files = sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
        if not files:
            raise RuleTestError(f"rule_tests: there is no file {pattern}")
        found |= dict.fromkeys(files)
    return list(found)


def _failed(
    engine: Engine, path: Path, tests: RuleTests, document: Document, rules: Sequence[Rule]
) -> Iterator[Failed]:
    for index, test in enumerate(tests.tests):
        player = Player(engine, rules, test, tests.interval(test))
        for number, case in sorted(enumerate(test.alert_rule_test), key=lambda item: item[1].eval_time):
            there = player.at(case.eval_time, case.alertname)
            got = [found for found in there if found.pending is None]
            if not _as_expected(case.exp_alerts, got):
                line = document.line(("tests", index, "alert_rule_test", number))
                pending = tuple(found for found in there if found.pending is not None)
                yield Failed(path, line, test.name, case, tuple(got), pending)


def _as_expected(expected: Sequence[Expected], got: Sequence[FiredAlert]) -> bool:
    """Whether each expected alert is one of those that came, and no other did. Labels tell alerts of a rule apart."""
    by_labels = {_pairs(found.labels): found for found in got}
    if len(expected) != len(got) or {_pairs(item.exp_labels) for item in expected} != by_labels.keys():
        return False
    return all(
        item.exp_annotations.items() <= by_labels[_pairs(item.exp_labels)].annotations.items() for item in expected
    )


def _listed(name: str, alerts: Sequence[tuple[dict[str, str], dict[str, str]]]) -> list[str]:
    if not alerts:
        return [f"    {name}: []"]
    lines = [f"    {name}: ["]
    for labels, texts in sorted(alerts, key=lambda item: _pairs(item[0])):
        lines.append(f"        Labels:{_pairs(labels)}")
        if texts:
            lines.append(f"        Annotations:{_pairs(texts)}")
    return [*lines, "    ]"]


def _pairs(pairs: dict[str, str]) -> str:
    quoted = (f"{name}={_quoted(value)}" for name, value in sorted(pairs.items()) if value)
    return "{" + ", ".join(quoted) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
