"""Rules as Prometheus' alerting rules: an expression that fires and resolves at the same evaluations, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.promql.slo import burning
from alerts.promql.terms import SIGNS, Inexpressible, number_of, span_of
from alerts.promql.text import bounded, notes
from alerts.rules.level import Bound, Level, describe_level
from alerts.rules.match import ANY, both
from alerts.rules.rule import Condition, Rule

PREFIX = "watchkeeper_"
TARGET = "instance, job"
"""Labels by which Prometheus tells one daemon's series from another's."""
REMEMBERED = 86400.0
"""Seconds for which Prometheus is asked to remember a series that is gone, where no data alerts."""


@dataclass(frozen=True, slots=True)
class ExportedSeries:
    """What Prometheus sees of a metric."""

    labels: tuple[str, ...]
    sampled: bool
    """On the wall's clock; else measured once for each window of event time."""
    pace: float | None = None
    """Seconds between two samples, where it is known and everywhere the same."""


def export(rule: Rule, metrics: Mapping[str, ExportedSeries], job: str = "") -> list[dict[str, Any]]:
    """One rule of a rule file, and one more for each override. `metrics` holds every metric that there is; with `job`,
    only that job's series are looked at. Raises Inexpressible."""
    series = metrics[rule.metric]
    _refuse(rule)
    within = {"job": job} if job else {}
    found: list[dict[str, Any]] = []
    taken: tuple[Mapping[str, str], ...] = ()
    for override, own in rule.overridden:
        if (match := both(rule.match, override)) is not None:
            mine = own.model_copy(update={"match": match})
            found.append(_plain(mine, _Expression(mine, series, within, taken)))
            taken = (*taken, override)
    return _merged([_plain(rule, _Expression(rule, series, within, taken)), *found])


def _merged(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that differ in their expression only as one: promtool's lint takes them for the same rule twice."""
    merged: list[dict[str, Any]] = []
    for rule in rules:
        same = next((other for other in merged if {**other, "expr": rule["expr"]} == rule), None)
        if same is None:
            merged.append(rule)
        else:
            same["expr"] = f"{same['expr']} or {rule['expr']}"
    return merged


def _plain(rule: Rule, expression: _Expression) -> dict[str, Any]:
    _refuse_holds(rule, expression.series)
    plain: dict[str, Any] = {"alert": rule.name, "expr": expression.whole()}
    for key, hold in (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for)):
        if hold.seconds:
            plain[key] = span_of(hold.seconds)
    return {**plain, "labels": {"severity": str(rule.severity)}, "annotations": notes(rule)}


def _refuse(rule: Rule) -> None:
    if rule.average > 1:
        raise Inexpressible(f"average: {rule.average} weighs windows by their rows, which are not exported")
    if rule.overrides and rule.on_no_data == "alert":
        raise Inexpressible("no_data: alert remembers each series, and overrides would make them several rules'")


def _refuse_holds(rule: Rule, series: ExportedSeries) -> None:
    if rule.on_no_data == "alert" and not series.sampled:
        name = "absent: true" if rule.absent else "no_data: alert"
        raise Inexpressible(f"{name} is judged once a window, and Prometheus knows of no window without data")
    if rule.on_no_data == "alert" and rule.while_:
        raise Inexpressible("no_data: alert goes by what is known of its conditions, which no series says")
    if rule.on_no_data == "alert" and rule.slo is not None:
        raise Inexpressible("no_data: alert with slo goes by what its windows hold")
    if rule.error == "alert" and rule.on_no_data != "alert":
        raise Inexpressible("error: alert needs to know that measuring failed, which no series says")
    if rule.min_rows and (rule.slo is None or rule.bounds):
        raise Inexpressible(f"min_rows: {rule.min_rows} needs the rows behind a value, which are not exported")
    for name, hold in (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for)):
        if hold.windows:
            raise Inexpressible(f"{name}: {hold} counts windows, and Prometheus counts time")
        if hold.seconds and not series.sampled:
            raise Inexpressible(
                f"{name} is in event time, once for each closed window; Prometheus knows the wall's only"
            )


@dataclass(frozen=True, slots=True)
class _Expression:
    rule: Rule
    series: ExportedSeries
    within: Mapping[str, str] = field(default_factory=dict)
    """Labels of the targets that are looked at."""
    others: tuple[Mapping[str, str], ...] = ()
    """Label sets that are another rule's."""

    def whole(self) -> str:
        parts = [] if self.rule.absent else [self._breach()]
        if "method" in self.series.labels and "method" not in self.rule.match:
            raise Inexpressible("it goes by each column's first method, and Prometheus by all of them; match one")
        for condition in self.rule.while_:
            parts = [f"({' or '.join(parts)}) and on ({TARGET}) ({self._condition(condition)})"]
        if self.rule.on_no_data == "alert":
            parts += self._missing()
        return " or ".join(parts)

    def _breach(self) -> str:
        if self.rule.slo is not None:
            return burning(self.rule, self._own(), self.series.pace, self._of("request_rate", {}))
        if self.rule.share is not None:
            return self._share(self.rule.share)
        return " or ".join(self._side(bound) for bound in self.rule.bounds)

    def _side(self, bound: Bound) -> str:
        own = self._own()
        breach = f"{own} {SIGNS[bound.side]} {self._level(bound.level)}"
        if bound.clear is None:
            return breach
        # An alert that fires goes on until its value is past the clear level; one that is pending does not.
        labels = ", ".join([TARGET, "model", *self.series.labels])
        firing = selector("ALERTS", {"alertname": self.rule.name, "alertstate": "firing"})
        kept = f"{own} {SIGNS[bound.side]} {self._level(bound.clear)}"
        if self.rule.outside is not None:
            raise Inexpressible("clear with outside goes by the side on which the alert fires, which no series says")
        return f"{breach} or ({kept} and on ({labels}) {firing})"

    def _share(self, share: float) -> str:
        by = f"by ({TARGET}, model)"
        bad = " or ".join(self._side(bound) for bound in self.rule.bounds)
        return f"count {by} ({bad}) / count {by} ({self._own()}) > {number_of(share)}"

    def _missing(self) -> list[str]:
        """Series that were there and are gone, and daemons that never had one; each as NaN, and only while the daemon
        itself is there: that it is gone is not this rule's to tell."""
        own = self._own()
        known = f"last_over_time({own}[{span_of(REMEMBERED + self.rule.for_.seconds)}])"
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
        if level.learned:
            raise Inexpressible(f"its level is {describe_level(level)}, which Watchkeeper learns and no series says")
        if level.reference is None:
            return number_of(bounded(level))
        if self.rule.metric != "performance" or level.at_least is not None or level.at_most is not None:
            raise Inexpressible("its level is made from the reference's value, which is not exported for this metric")
        reference = self._of("performance_reference", self.rule.match)
        return f"on ({TARGET}, model, metric, segment) ({reference} + {number_of(level.reference)})"

    def _condition(self, condition: Condition) -> str:
        if condition.rule is not None:
            return f"max by ({TARGET}) ({self._of('alert_state', {'rule': condition.rule})}) >= 1"
        selector = self._of(condition.metric or "", condition.match)
        if condition.above is not None:
            return f"max by ({TARGET}) ({selector}) > {number_of(condition.above)}"
        assert condition.below is not None
        return f"min by ({TARGET}) ({selector}) < {number_of(condition.below)}"

    def _own(self) -> str:
        own = self._of(self.rule.metric, self.rule.match)
        found = (both(self.rule.match, match) for match in self.others)
        others = [self._of(self.rule.metric, match) for match in found if match is not None]
        return f"({' unless '.join([own, *others])})" if others else own

    def _of(self, metric: str, match: Mapping[str, str]) -> str:
        return selector(PREFIX + metric, {**self.within, **match})


def selector(name: str, match: Mapping[str, str]) -> str:
    """A series with these labels; ANY is any value but none."""
    pairs = ",".join(f'{label}!=""' if value == ANY else f"{label}={_quoted(value)}" for label, value in match.items())
    return f"{name}{{{pairs}}}" if pairs else name


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
