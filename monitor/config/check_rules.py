"""What is wrong with a rule although each of its values is well-formed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from alerts.rules.level import Bound
from alerts.rules.match import both
from alerts.rules.rule import Rule
from alerts.wording import Wording
from checks.catalog import CATALOG, Metric
from checks.drift.methods.names import LABELS
from monitor.config.check_conditions import condition_problems
from monitor.config.measured_metrics import unmeasured
from monitor.config.renamed import unknown_metric
from monitor.config.shares import share_problem
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.root import Config

TEXTS = ("summary", "action", "runbook")


def rule_problems(
    rules: Sequence[Rule], document: Document, in_force: Sequence[Rule], config: Config | None = None
) -> Iterator[Problem]:
    """Of the rules of one file; `in_force` are those that a condition may name. With a config also what nothing in it
    measures."""
    wording = Wording(LABELS)
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        place: Place = ("rules", index)
        for key, wrong in (*_problems(rule, config, wording), *condition_problems(rule, in_force, config)):
            yield Problem(document.line((*place, *key)), f"rule {rule.name!r}: {wrong}")
        if rule.name in seen:
            yield Problem(document.line((*place, "name")), f"rule {rule.name!r} stands twice; give each its own name")
        seen.add(rule.name)


def _problems(rule: Rule, config: Config | None, wording: Wording) -> Iterator[tuple[Place, str]]:
    metric = CATALOG.get(rule.metric)
    if metric is None:
        yield ("metric",), unknown_metric(rule.metric)
    else:
        yield from _match_problems(rule, metric)
        if rule.enabled and config is not None and (wrong := unmeasured(rule.metric, config)):
            yield ("metric",), wrong
        if wrong := _slo_problem(rule, metric):
            yield ("slo",), wrong
    yield from _level_problems(rule, ())
    yield from _number_problems(rule, ())
    for index, (override, (_, own)) in enumerate(zip(rule.overrides, rule.overridden, strict=True)):
        if override.model_fields_set & {"above", "below", "outside", "clear"}:
            yield from _level_problems(own, ("overrides", index))
            yield from _number_problems(own, ("overrides", index))
        yield from _text_problems(override.model_dump(exclude_none=True), ("overrides", index), wording)
    yield from _text_problems(rule.model_dump(include={*TEXTS, "annotations"}), (), wording)


def _match_problems(rule: Rule, metric: Metric) -> Iterator[tuple[Place, str]]:
    known = f"its labels are {', '.join(metric.labels)}" if metric.labels else "it has no labels"
    places: list[tuple[Place, Mapping[str, str]]] = [(("match",), rule.match)]
    places += [(("overrides", index, "match"), item.match) for index, item in enumerate(rule.overrides)]
    for place, match in places:
        for label, value in match.items():
            if label not in metric.labels:
                yield (*place, label), f"{rule.metric} has no label {label!r}; {known}"
            elif both({label: rule.match.get(label, value)}, {label: value}) is None:
                yield (*place, label), f"{label} {value!r} is never met: the rule matches {rule.match[label]!r} only"


def _slo_problem(rule: Rule, metric: Metric) -> str | None:
    if rule.slo is None:
        return None
    if metric.clock != "wall":
        return f"slo goes with what is sampled; {rule.metric} is measured once a window"
    if not rule.bounds and not rule.metric.endswith("_ratio"):
        return f"{rule.metric} is no ratio of bad to all; say with above, below or outside when a sample is a bad one"
    return None


def _level_problems(rule: Rule, place: Place) -> Iterator[tuple[Place, str]]:
    for bound in rule.bounds:
        if wrong := _clear_problem(rule, bound):
            yield (*place, "clear"), wrong
    band = rule.outside
    if band is not None and band.low.value is not None and band.high.value is not None:
        low, high = band.low.value, band.high.value
        if low >= high:
            yield (*place, "outside"), f"low ({low:g}) must be below high ({high:g})"


def _number_problems(rule: Rule, place: Place) -> Iterator[tuple[Place, str]]:
    """Find levels that no value of the metric can be beyond."""
    for bound in rule.bounds:
        key = bound.side if rule.outside is None else "outside"
        for name, level in ((key, bound.level), ("clear", bound.clear)):
            if level is None:
                continue
            numbers = (level.value, level.at_least, level.at_most)
            if any(math.isnan(number) for number in (*numbers, level.reference, level.plus) if number is not None):
                yield (*place, name), f"{name}: nothing is above or below .nan; write a number"
            elif wrong := share_problem(rule.metric, numbers):
                yield (*place, name), f"{name}: {wrong}"


def _clear_problem(rule: Rule, bound: Bound) -> str | None:
    sign = 1 if bound.side == "above" else -1
    side = bound.side if rule.outside is None else {"above": "high", "below": "low"}[bound.side]
    for kind in ("value", "reference"):
        breach, clear = getattr(bound.level, kind), getattr(bound.clear, kind, None)
        if breach is not None and clear is not None and sign * (clear - breach) > 0:
            return f"clear ({clear:g}) lies beyond {side} ({breach:g}), so the alert could never hold"
    return None


def _text_problems(keys: Mapping[str, object], place: Place, wording: Wording) -> Iterator[tuple[Place, str]]:
    texts: list[tuple[Place, object]] = [((name,), keys.get(name)) for name in TEXTS]
    more = keys.get("annotations")
    if isinstance(more, dict):
        texts += [(("annotations", name), text) for name, text in more.items()]
    for key, text in texts:
        if isinstance(text, str) and (wrong := wording.problem(text)):
            yield (*place, *key), f"{'.'.join(map(str, key))} {wrong}"
