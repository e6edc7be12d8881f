"""What the matchers of routes, inhibitions and silences can hit, by the rules in force; and routes that miss rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alerts.rules.rule import Rule
from checks.catalog import CATALOG
from monitor.alerting.reach import Labels, Possible, Reach
from monitor.settings.root import SHIPPED_INHIBITIONS, Config

SHOWN = 10
"""Rules that a sentence names; of more it gives the number."""
OUTAGE: Possible = {"rule": ["database-unwritable"], "severity": ["critical"], "group": ["database"], "model": [""]}
"""The rule of `monitor.alerting.outage`, which no config has."""


def reach(config: Config, rules: Iterable[Rule], present: Iterable[dict[str, Any]] | None) -> Reach:
    """Return what matchers may hit. `present`: the alerts that are pending or firing, as the store returns them."""
    known = {rule.name: rule for rule in rules}
    possible = {name: _possible(rule, config) for name, rule in known.items()}
    alerts = None if present is None else [_labels(alert, known) for alert in present]
    return Reach({**possible, "database-unwritable": OUTAGE}, alerts)


def route_lines(config: Config, found: Reach) -> list[str]:
    """Return for each route what it hits."""
    lines = []
    for number, route in enumerate(config.routes, 1):
        told = ", ".join(route.receivers) or "nobody, as it says"
        hit = "; ".join(found.described(route.conditions)) or "everything"
        lines.append(f"route {number} → {told}: {hit}")
    return lines


def matcher_warnings(config: Config, found: Reach) -> list[str]:
    """Return in sentences which matchers can hit nothing, and which rules no route matches."""
    return [*_without_hits(config, found), *_unmatched(config, found)]


def _without_hits(config: Config, found: Reach) -> Iterator[str]:
    for number, route in enumerate(config.routes, 1):
        if why := found.problem(route.conditions):
            yield f"route {number} never matches: {why}"
    # The shipped ones are about rules that a config may leave out.
    own = config.inhibitions if config.inhibitions != SHIPPED_INHIBITIONS else []
    for number, inhibition in enumerate(own, 1):
        for side, matchers in (("source", inhibition.sources), ("target", inhibition.targets)):
            if why := found.problem(matchers):
                yield f"inhibition {number} never holds anything back, its {side} never matches: {why}"


def _unmatched(config: Config, found: Reach) -> Iterator[str]:
    if not config.routes or config.alertmanager is not None:
        return
    matched = {name for route in config.routes for name in found.reached(route.conditions)}
    if left := [name for name in found.rules if name not in matched]:
        names = ", ".join(left[:SHOWN]) + (f" and {len(left) - SHOWN} more" if len(left) > SHOWN else "")
        yield (
            f"no route matches {len(left)} of {len(found.rules)} rules, whose incidents reach nobody: {names}; "
            "end the routes with one without matchers"
        )


def _possible(rule: Rule, config: Config) -> Possible:
    metric = CATALOG.get(rule.metric)
    # The labels of a measurement may be empty or missing; a share has none of its own.
    of_data: dict[str, Sequence[str] | None] = dict.fromkeys(metric.labels if metric and rule.share is None else ())
    severities = {rule.severity.value, *(one.severity.value for _, one in rule.overridden)}
    return {
        **of_data,
        "rule": [rule.name],
        "group": [rule.incident_group],
        "severity": sorted(severities),
        "model": [*(model.model for model in config.models), ""],
    }


def _labels(alert: dict[str, Any], rules: dict[str, Rule]) -> Labels:
    rule = rules.get(alert["rule"])
    own = {name: str(value) for name, value in alert["labels"].items()}
    severity = alert.get("severity") or (rule.of(tuple(sorted(own.items()))).severity.value if rule else "")
    group = {"group": rule.incident_group} if rule else {}
    return {**own, **group, "model": alert["model"], "rule": alert["rule"], "severity": severity}
