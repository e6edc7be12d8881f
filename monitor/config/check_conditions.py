"""What is wrong with the conditions (`while:`) of a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerts.rules.rule import Condition, Rule
from checks.catalog import CATALOG
from checks.suggest import did_you_mean
from monitor.config.measured_metrics import unmeasured
from monitor.config.renamed import unknown_metric
from monitor.config.shares import share_problem
from monitor.config.yaml_document import Place
from monitor.settings.root import Config


def condition_problems(
    rule: Rule, in_force: Sequence[Rule], config: Config | None = None
) -> Iterator[tuple[Place, str]]:
    """(place within the rule, sentence) of what is wrong; `in_force` are the rules that a condition may name."""
    metric = CATALOG.get(rule.metric)
    if rule.while_ and metric is not None and metric.clock != "wall":
        yield ("while",), f"while goes with what is sampled; {rule.metric} is measured once a window"
        return
    by_name = {other.name: other for other in in_force}
    for index, condition in enumerate(rule.while_):
        wrong = _of_metric(condition, config) if condition.rule is None else _of_rule(rule, condition.rule, by_name)
        if wrong:
            yield ("while", index), f"while: {wrong}"


def _of_metric(condition: Condition, config: Config | None) -> str | None:
    name = condition.metric or ""
    metric = CATALOG.get(name)
    if metric is None:
        return unknown_metric(name)
    if metric.clock != "wall":
        return f"{name} is measured once a window; name something that is sampled, such as request_rate"
    for label in condition.match:
        if label not in metric.labels:
            known = f"its labels are {', '.join(metric.labels)}" if metric.labels else "it has no labels"
            return f"{name} has no label {label!r}; {known}"
    if wrong := share_problem(name, (condition.above, condition.below)):
        return wrong
    return None if config is None else unmeasured(name, config)


def _of_rule(rule: Rule, name: str, by_name: dict[str, Rule]) -> str | None:
    if name == rule.name:
        return "a rule can't wait for itself"
    other = by_name.get(name)
    if other is None:
        return f"there is no rule {name!r} in force{did_you_mean(name, by_name)}"
    if path := _way(name, rule.name, by_name):
        return f"a rule can't wait for itself: {rule.name} waits for {', which waits for '.join(path)}"
    metric = CATALOG.get(other.metric)
    if metric is not None and metric.clock != "wall":
        return f"rule {name!r} steps once a window; name one over something that is sampled"
    return None


def _way(start: str, goal: str, by_name: dict[str, Rule]) -> list[str]:
    """The rules from `start` to `goal` along what each waits for; empty when there is no way."""
    ways = {start: [start]}
    left = [start]
    while left and goal not in ways:
        name = left.pop()
        for condition in by_name[name].while_ if name in by_name else ():
            if condition.rule is not None and condition.rule not in ways:
                ways[condition.rule] = [*ways[name], condition.rule]
                left.append(condition.rule)
    return ways.get(goal, [])
