"""Rules as Prometheus' alerting rules: an expression that fires and resolves at the same evaluations, or a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.rule import Condition, Level, Rule
from alerts.wording import bytes_, duration, number, percent

PREFIX = "watchkeeper_"
TARGET = ("instance", "job")
"""Labels by which Prometheus tells one daemon's series from another's."""

_SLOT = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|\s*(\w+)\s*)?\}\}")
_VALUES = {
    None: "{{ $value }}",
    "percent": "{{ $value | humanizePercentage }}",
    "duration": "{{ $value | humanizeDuration }}",
    "bytes": "{{ $value | humanize1024 }}B",
}
_WORDS: dict[str | None, Callable[[float], str]] = {
    None: number,
    "percent": percent,
    "duration": duration,
    "bytes": bytes_,
}
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


@dataclass(frozen=True, slots=True)
class Series:
    """What Prometheus sees of a metric."""

    labels: tuple[str, ...]
    sampled: bool
    """On the wall's clock; else measured once for each window of event time."""


class Inexpressible(Exception):
    """Prometheus can't judge by this rule; the text says why."""


def export(rule: Rule, metrics: Mapping[str, Series]) -> dict[str, Any]:
    """One rule of a rule file. `metrics` holds every metric that there is. Raises Inexpressible.

    What a vanished series means can't be said in it: Prometheus resolves such an alert, where `no_data: keep` goes on.
    """
    series = metrics[rule.metric]
    _refuse(rule, series)
    expression = _breach(rule, series)
    for condition in rule.while_:
        expression = f"({expression}) and on ({', '.join(TARGET)}) ({_condition(condition)})"
    plain: dict[str, Any] = {"alert": rule.name, "expr": expression}
    for key, hold in (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for)):
        if hold.seconds:
            plain[key] = _span(hold.seconds)
    annotations = {
        "summary": summary(rule),
        "description": _literal(rule.action),
        "runbook_url": _literal(rule.runbook),
    }
    plain["labels"] = {"severity": str(rule.severity)}
    plain["annotations"] = {name: text for name, text in annotations.items() if text}
    return plain


def differs(rules: Iterable[Rule]) -> list[str]:
    """Names of those that go on firing when their series vanishes, while Prometheus would resolve them."""
    return [rule.name for rule in rules if rule.no_data == "keep"]


def summary(rule: Rule) -> str:
    """The rule's summary with its places filled in by Prometheus; a plain one where that can't."""
    try:
        return _template(rule)
    except Inexpressible:
        return f"{rule.metric} is {{{{ $value }}}}"


def _refuse(rule: Rule, series: Series) -> None:
    holds = (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for))
    if rule.no_data == "alert":
        raise Inexpressible("no_data: alert means the label sets that were known, and Prometheus remembers none")
    if rule.error == "alert":
        raise Inexpressible("error: alert needs to know that measuring failed, which no series says")
    if rule.average > 1:
        raise Inexpressible(f"average: {rule.average} weighs windows by their rows, which are not exported")
    if rule.min_rows:
        raise Inexpressible(f"min_rows: {rule.min_rows} needs the rows behind a value, which are not exported")
    for name, hold in holds:
        if hold.windows:
            raise Inexpressible(f"{name}: {hold.windows} windows counts windows, and Prometheus counts time")
        if hold.seconds and not series.sampled:
            raise Inexpressible(
                f"{name} is in event time, once for each closed window; Prometheus knows the wall's only"
            )


def _breach(rule: Rule, series: Series) -> str:
    level, sign = (rule.above, ">") if rule.above is not None else (rule.below, "<")
    assert level is not None
    selector = _selector(rule.metric, rule.match)
    breach = f"{selector} {sign} {_level(level, rule)}"
    if rule.clear is None:
        return breach
    # An alert that fires goes on until its value is past the clear level; one that is pending does not.
    own = ", ".join([*TARGET, "model", *series.labels])
    firing = _selector("ALERTS", {"alertname": rule.name, "alertstate": "firing"}, prefix="")
    return f"{breach} or ({selector} {sign} {_level(rule.clear, rule)} and on ({own}) {firing})"


def _level(level: Level, rule: Rule) -> str:
    if level.limit:
        raise Inexpressible("its level is the calibrated limit, which is made for each window's size and not exported")
    if level.baseline is not None:
        raise Inexpressible("its level is the value's own baseline, learned only while nothing is wrong")
    if level.reference is not None:
        if rule.metric != "performance" or level.at_least is not None or level.at_most is not None:
            raise Inexpressible("its level is made from the reference's value, which is not exported for this metric")
        reference = _selector("performance_reference", rule.match)
        return f"on ({', '.join([*TARGET, 'model', 'metric', 'segment'])}) ({reference} + {_number(level.reference)})"
    assert level.value is not None
    return _number(_bounded(level))


def _bounded(level: Level) -> float:
    value = level.value if level.value is not None else 0.0
    value = value if level.at_least is None else max(value, level.at_least)
    return value if level.at_most is None else min(value, level.at_most)


def _condition(condition: Condition) -> str:
    by = ", ".join(TARGET)
    if condition.rule is not None:
        return f"max by ({by}) ({_selector('alert_state', {'rule': condition.rule})}) >= 1"
    selector = _selector(condition.metric or "", condition.match)
    if condition.above is not None:
        return f"max by ({by}) ({selector}) > {_number(condition.above)}"
    return f"min by ({by}) ({selector}) < {_number(condition.below or 0.0)}"


def _selector(metric: str, match: Mapping[str, str], prefix: str = PREFIX) -> str:
    pairs = ",".join(f"{name}={_quoted(value)}" for name, value in match.items())
    return f"{prefix}{metric}{{{pairs}}}" if pairs else f"{prefix}{metric}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _span(seconds: float) -> str:
    left, parts = round(seconds * 1000), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _template(rule: Rule) -> str:
    parts, end = [], 0
    for slot in _SLOT.finditer(rule.summary):
        parts.append(_literal(rule.summary[end : slot.start()]))
        parts.append(_filled(slot[1], slot[2], rule))
        end = slot.end()
    rest = rule.summary[end:]
    if "{{" in rest or "{%" in "".join(parts) + rest:
        raise Inexpressible("the summary is more than places to fill in")
    return "".join(parts) + rest


def _filled(name: str, word: str | None, rule: Rule) -> str:
    if name == "value" and word in _VALUES:
        return _VALUES[word]
    if name.startswith("labels."):
        return f"{{{{ $labels.{name.removeprefix('labels.')} }}}}"
    if name == "model":
        return "{{ $labels.model }}"
    if name == "rule":
        return rule.name
    level = rule.above or rule.below
    if name == "level" and level is not None and level.value is not None and word in _WORDS:
        return _WORDS[word](_bounded(level))
    raise Inexpressible(f"Prometheus has no {name}")


def _literal(text: str) -> str:
    """Text that Prometheus' templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')
