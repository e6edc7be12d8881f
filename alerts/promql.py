"""Rules as Prometheus' alerting rules: an expression that fires and resolves at the same evaluations, or a refusal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.match import ANY
from alerts.promql_text import bounded, notes
from alerts.rule import Condition, Level, Rule

PREFIX = "watchkeeper_"
TARGET = "instance, job"
"""Labels by which Prometheus tells one daemon's series from another's."""
REMEMBERED = 86400.0
"""Seconds for which Prometheus is asked to remember a series that is gone, where no data alerts."""

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


@dataclass(frozen=True, slots=True)
class Series:
    """What Prometheus sees of a metric."""

    labels: tuple[str, ...]
    sampled: bool
    """On the wall's clock; else measured once for each window of event time."""


class Inexpressible(Exception):
    """Prometheus can't judge by this rule; the text says why."""


def export(rule: Rule, metrics: Mapping[str, Series], job: str = "") -> dict[str, Any]:
    """One rule of a rule file. `metrics` holds every metric that there is; with `job`, only that job's series are
    looked at. Raises Inexpressible."""
    series = metrics[rule.metric]
    _refuse(rule, series)
    plain: dict[str, Any] = {"alert": rule.name, "expr": _Expression(rule, series, {"job": job} if job else {}).whole()}
    for key, hold in (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for)):
        if hold.seconds:
            plain[key] = _span(hold.seconds)
    return {**plain, "labels": {"severity": str(rule.severity)}, "annotations": notes(rule)}


def _refuse(rule: Rule, series: Series) -> None:
    if rule.no_data == "alert" and not series.sampled:
        raise Inexpressible("no_data: alert is judged once a window, and Prometheus knows of no window without data")
    if rule.no_data == "alert" and rule.while_:
        raise Inexpressible("no_data: alert goes by what is known of its conditions, which no series says")
    if rule.error == "alert" and rule.no_data != "alert":
        raise Inexpressible("error: alert needs to know that measuring failed, which no series says")
    if rule.average > 1:
        raise Inexpressible(f"average: {rule.average} weighs windows by their rows, which are not exported")
    if rule.min_rows:
        raise Inexpressible(f"min_rows: {rule.min_rows} needs the rows behind a value, which are not exported")
    for name, hold in (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for)):
        if hold.windows:
            raise Inexpressible(f"{name}: {hold.windows} windows counts windows, and Prometheus counts time")
        if hold.seconds and not series.sampled:
            raise Inexpressible(
                f"{name} is in event time, once for each closed window; Prometheus knows the wall's only"
            )


@dataclass(frozen=True, slots=True)
class _Expression:
    rule: Rule
    series: Series
    within: Mapping[str, str] = field(default_factory=dict)
    """Labels of the targets that are looked at."""

    def whole(self) -> str:
        parts = [self._breach()]
        for condition in self.rule.while_:
            parts = [f"({' or '.join(parts)}) and on ({TARGET}) ({self._condition(condition)})"]
        if self.rule.no_data == "alert":
            parts += self._missing()
        return " or ".join(parts)

    def _breach(self) -> str:
        rule = self.rule
        level, sign = (rule.above, ">") if rule.above is not None else (rule.below, "<")
        assert level is not None
        own = self._own()
        breach = f"{own} {sign} {self._level(level)}"
        if rule.clear is None:
            return breach
        # An alert that fires goes on until its value is past the clear level; one that is pending does not.
        labels = ", ".join([TARGET, "model", *self.series.labels])
        firing = _selector("ALERTS", {"alertname": rule.name, "alertstate": "firing"})
        return f"{breach} or ({own} {sign} {self._level(rule.clear)} and on ({labels}) {firing})"

    def _missing(self) -> list[str]:
        """Series that were there and are gone, and daemons that never had one; each as NaN, and only while the daemon
        itself is there: that it is gone is not this rule's to tell."""
        own = self._own()
        known = f"last_over_time({own}[{_span(REMEMBERED + self.rule.for_.seconds)}])"
        alive = f"sum by ({TARGET}) ({self._of('build_info', {})})"
        return [
            f"({known} unless {own} and on ({TARGET}) {alive}) * NaN",
            f"({alive} unless on ({TARGET}) {known}) * NaN",
        ]

    def _level(self, level: Level) -> str:
        if level.limit:
            raise Inexpressible(
                "its level is the calibrated limit, which is made for each window's size and not exported"
            )
        if level.baseline is not None:
            raise Inexpressible("its level is the value's own baseline, learned only while nothing is wrong")
        if level.reference is None:
            return _number(bounded(level))
        if self.rule.metric != "performance" or level.at_least is not None or level.at_most is not None:
            raise Inexpressible("its level is made from the reference's value, which is not exported for this metric")
        reference = self._of("performance_reference", self.rule.match)
        return f"on ({TARGET}, model, metric, segment) ({reference} + {_number(level.reference)})"

    def _condition(self, condition: Condition) -> str:
        if condition.rule is not None:
            return f"max by ({TARGET}) ({self._of('alert_state', {'rule': condition.rule})}) >= 1"
        selector = self._of(condition.metric or "", condition.match)
        if condition.above is not None:
            return f"max by ({TARGET}) ({selector}) > {_number(condition.above)}"
        assert condition.below is not None
        return f"min by ({TARGET}) ({selector}) < {_number(condition.below)}"

    def _own(self) -> str:
        return self._of(self.rule.metric, self.rule.match)

    def _of(self, metric: str, match: Mapping[str, str]) -> str:
        return _selector(PREFIX + metric, {**self.within, **match})


def _selector(name: str, match: Mapping[str, str]) -> str:
    pairs = ",".join(f'{label}!=""' if value == ANY else f"{label}={_quoted(value)}" for label, value in match.items())
    return f"{name}{{{pairs}}}" if pairs else name


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    """
    >>> _number(3.0), _number(-0.05), _number(float("inf"))
    ('3', '-0.05', 'Inf')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _span(seconds: float) -> str:
    left, parts = round(seconds * 1000), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
