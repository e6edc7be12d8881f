"""A file of rule tests: promtool's form, with what a measurement has beside its value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from alerts.duration import Seconds
from checks.catalog import CATALOG
from checks.suggest import did_you_mean
from monitor.config.error_messages import place_text
from monitor.config.renamed import unknown_metric
from monitor.config.text_file import TextFileError, read_text
from monitor.config.yaml_document import Document, Place, Problem, parse
from monitor.rule_tests.notation import Name, Value, name, values

MOST_STEPS = 20_000
"""Evaluations that one test may take."""


class RuleTestError(Exception):
    """A test file is wrong; one line for each thing that is."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class InputSeries(_Form):
    """One label set's values, one each `interval`, the first at time 0."""

    series: str
    values: str
    rows: int = Field(10_000, ge=0)
    """Rows (or requests) that each value rests on."""
    reference: float | None = None
    """The reference's value of the same quantity."""
    limit: float | None = None
    """The calibrated upper limit."""
    limit_low: float | None = None

    @model_validator(mode="after")
    def _readable(self) -> InputSeries:
        _ = self.name, self.seen
        return self

    @property
    def name(self) -> Name:
        return name(self.series)

    @property
    def seen(self) -> list[Value]:
        return values(self.values)


class Expected(_Form):
    """An alert that is to fire: all of its labels as receivers get them, but for `alertname`; of the annotations those
    that are given."""

    exp_labels: dict[str, str] = {}
    exp_annotations: dict[str, str] = {}


class Case(_Form):
    """The alerts of one rule that fire at one time; nothing else of that rule may."""

    eval_time: Seconds
    alertname: str
    exp_alerts: list[Expected] = []


class RuleTest(_Form):
    name: str = ""
    interval: Seconds | None = Field(None, gt=0)
    input_series: list[InputSeries] = Field(min_length=1)
    alert_rule_test: list[Case] = Field(min_length=1)


class RuleTests(_Form):
    """A whole file."""

    evaluation_interval: Seconds = Field(60.0, gt=0)
    """Seconds between two values, where a test says nothing else."""
    tests: list[RuleTest] = Field(min_length=1)

    def interval(self, test: RuleTest) -> float:
        return self.evaluation_interval if test.interval is None else test.interval


def read(path: Path, rules: Collection[str]) -> tuple[RuleTests, Document]:
    """The tests in a file; `rules` are the names of those that are in force. Raises RuleTestError."""
    try:
        document = parse(read_text(path), {})
    except FileNotFoundError:
        raise RuleTestError(f"{path}: can't be read: No such file or directory") from None
    except TextFileError as error:
        raise RuleTestError(f"{path}: {error}") from None
    _stop(path, document.problems)
    try:
        tests = RuleTests.model_validate(document.value)
    except ValidationError as error:
        found = [_problem(detail, document) for detail in error.errors(include_url=False)]
        raise RuleTestError(_told(path, found)) from None
    _stop(path, [Problem(document.line(place), said) for place, said in _wrong(tests, rules)])
    return tests, document


def _wrong(tests: RuleTests, rules: Collection[str]) -> Iterator[tuple[Place, str]]:
    """What is wrong with tests although each of their values is well-formed."""
    for index, test in enumerate(tests.tests):
        place: Place = ("tests", index)
        for number, series in enumerate(test.input_series):
            if wrong := _wrong_name(series.name):
                yield (*place, "input_series", number, "series"), wrong
        names = [series.name for series in test.input_series]
        for number in (number for number, known in enumerate(names) if known in names[:number]):
            yield (*place, "input_series", number), f"{test.input_series[number].series} stands twice in this test"
        for number, case in enumerate(test.alert_rule_test):
            where = (*place, "alert_rule_test", number)
            if case.alertname not in rules:
                hint = did_you_mean(case.alertname, rules)
                yield (*where, "alertname"), f"there is no rule {case.alertname!r} in force{hint}"
            if case.eval_time / tests.interval(test) > MOST_STEPS:
                yield (*where, "eval_time"), f"lies more than {MOST_STEPS} evaluations after the first"


def _wrong_name(name: Name) -> str | None:
    metric = CATALOG.get(name.metric)
    if metric is None:
        return unknown_metric(name.metric)
    for label, _ in name.labels:
        if label not in metric.labels:
            known = ", ".join(["model", *metric.labels])
            return f"{name.metric} has no label {label!r}; its labels are {known}"
    return None


def _problem(detail: ErrorDetails, document: Document) -> Problem:
    place: Place = tuple(detail["loc"])
    where, line = place_text(place) or "the file", document.line(place)
    if detail["type"] == "extra_forbidden":
        known = list(_keys(place[:-1]))
        hint = did_you_mean(str(place[-1]), known, f"known here: {', '.join(known)}")
        return Problem(line, f"unknown key {str(place[-1])!r}{hint}")
    if detail["type"] == "missing":
        return Problem(line, f"{where} is missing")
    if detail["type"] == "value_error":
        return Problem(line, f"{where}: {detail['ctx']['error']}")
    return Problem(line, f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}")


def _keys(place: Place) -> Iterator[str]:
    """The keys of the section at a place."""
    form: Any = RuleTests
    for part in place:
        if isinstance(part, str):
            form = get_args(form.model_fields[part].annotation)[0]
    yield from form.model_fields


def _stop(path: Path, found: Sequence[Problem]) -> None:
    if found:
        raise RuleTestError(_told(path, found))


def _told(path: Path, found: Sequence[Problem]) -> str:
    lines = sorted(found, key=lambda problem: problem.line or 0)
    return "\n".join(f"{path}:{line}: {said}" if line else f"{path}: {said}" for line, said in lines)
