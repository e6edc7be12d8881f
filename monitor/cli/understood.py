"""What a config is understood to mean, for `check-config`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from alerts.duration import span
from alerts.redact import redacted, shown_url
from alerts.state.explain import condition
from monitor.cli.preflight import ReferenceFacts, ReferenceProblem, reference_facts, segments_of
from monitor.cli.remarks import config_remarks, model_remarks, reference_remarks
from monitor.collectors.probe.request import request
from monitor.config.rules_in_force import all_rules
from monitor.config.secret_values import sources
from monitor.config.yaml_document import Document
from monitor.rule_tests import RuleTestError, RuleTestOutcome, run_tests
from monitor.settings.checks import DriftSettings, EvidentlySettings
from monitor.settings.model import ModelSettings
from monitor.settings.receiver_names import SLACK_OFF, receiver_names, tells_slack
from monitor.settings.root import Config
from monitor.store.references.plan import ReferencePlan
from monitor.worker.messages import exact_note

if TYPE_CHECKING:
    from checks.data.schema import Schema


def understood(config: Config, document: Document) -> tuple[dict[str, Any], list[str]]:
    """The meaning, JSON-ready, and what is wrong with the references."""
    problems: list[str] = []
    said = document.value.get("models", [document.value])
    models = [_model(model, said[place], problems) for place, model in enumerate(config.models)]
    in_force = all_rules(config)
    rules = [
        {"name": rule.name, "when": condition(rule), "severity": rule.severity.value, "group": rule.incident_group}
        for rule in in_force
    ]
    meaning = {
        "models": models,
        "listen": config.listen,
        "database": shown_url(config.database),
        "receivers": receiver_names(config),
        "receivers_note": SLACK_OFF if config.slack and not tells_slack(config) else None,
        "slack": _slack(config),
        "grafana": config.grafana.url if config.grafana else None,
        "secrets": sources(config, document),
        "rules": rules,
        "remarks": list(config_remarks(config, in_force)),
    }
    return redacted(meaning), problems


def print_understood(meaning: dict[str, Any]) -> None:
    """The meaning for people."""
    from monitor.cli.output import print_line, print_table

    for model in meaning["models"]:
        print_line(f"model {model['model']}")
        for name in ("reference", "server", "windows", "labels", "drift", "importance", "time"):
            if model[name] is not None:
                print_line(f"  {name:<10} {model[name]}")
        for note in model["file"]:
            print_line(f"  {'file':<10} {note}")
        for probe in model["probes"]:
            print_line(f"  {'probe':<10} {probe}")
        for name, report in model["reports"].items():
            print_line(f"  {'report':<10} {name}: {report}")
        for note in model["segments"]:
            print_line(f"  {'segments':<10} {note}")
        print_schema(model["schema"])
        _print_roles(model["roles"])
        for remark in model["remarks"]:
            print_line(f"  remark     {remark}")
    print(f"listen       {meaning['listen']}")
    print(f"database     {meaning['database']}")
    print_line(f"receivers    {', '.join(meaning['receivers']) or 'none'}")
    if meaning["receivers_note"]:
        print(f"{'':<12} {meaning['receivers_note']}")
    for line in meaning["routes"]:
        print(f"{'':<12} {line}")
    for name, text in (meaning["slack"] or {}).items():
        print_line(f"{'':<12} slack {name}: {text}")
    if meaning["grafana"]:
        print(f"grafana      {meaning['grafana']}")
    for name, source in meaning["secrets"].items():
        print_line(f"secret       {name} **** (from {source})")
    for remark in meaning["remarks"]:
        print_line(f"remark       {remark}")
    print(f"rules        {len(meaning['rules'])} in force\n")
    rows = [(rule["name"], rule["severity"], rule["group"], rule["when"]) for rule in meaning["rules"]]
    print_table(("RULE", "SEVERITY", "GROUP", "WHEN"), rows)


def _print_roles(roles: list[dict[str, Any]]) -> None:
    """What the roles were found by, and which were not, with what to add."""
    from monitor.cli.output import print_line

    found = [f"{one['role']} by {one['by']}" for one in roles if one["column"] is not None]
    if found:
        print_line(f"    {'found':<15} {', '.join(found)}")
    for one in roles:
        if one["column"] is None:
            print_line(f"    {'not found':<15} {one['role']}: if a column holds it, add {one['add']}")


def _slack(config: Config) -> dict[str, str] | None:
    """What of Slack is not plain from the config's own words."""
    slack = config.slack
    if slack is None or not tells_slack(config):
        return None
    called = [f"{severity}: {' '.join(names)}" for severity, names in slack.mentions.items() if names]
    may = f"{', '.join(slack.allow) or 'everybody who sees them'} may press"
    heard = slack.token is not None and slack.app_token is not None
    return {
        "buttons": f"over Socket Mode; {may}" if heard else "none, a link to the page instead (there is no app token)",
        "mentions": ", ".join(called) or "none",
    }


def rule_tests(config: Config) -> tuple[RuleTestOutcome, list[str]]:
    """How the tests of the config's rules came out, and what is wrong with their files."""
    if not config.rule_tests:
        return RuleTestOutcome(), []
    try:
        return run_tests(config), []
    except RuleTestError as error:
        return RuleTestOutcome(), str(error).splitlines()


def plain_tests(tested: RuleTestOutcome) -> dict[str, Any]:
    """The outcome of rule tests, JSON-ready."""
    return {"cases": tested.cases, "failed": [case.to_dict() for case in tested.failed]}


def _model(model: ModelSettings, said: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """The model; `said` is its part of the file as it was written."""
    facts: ReferenceFacts | None = None
    try:
        facts = reference_facts(model)
    except ReferenceProblem as error:
        problems.append(str(error))
    schema = facts.schema if facts else None
    problems += _report_problems(model, schema)
    server = model.server
    return {
        "model": model.model,
        "reference": ReferencePlan.of_model(model).described(),
        "file": list(facts.notes) if facts else [],
        "schema": plain_schema(schema) if schema else None,
        "roles": [asdict(found) for found in facts.roles] if facts else [],
        "remarks": [*(facts.leftovers if facts else ()), *_setting_remarks(model, facts)],
        "server": f"{shown_url(server.url)}{server.metrics_path} "
        f"(preset {server.preset}, every {span(server.interval)})"
        if server
        else "none",
        "probes": [
            f"{probe.name}: {probe.kind}, {shown_url(request(probe, model.model).url)}, every {span(probe.interval)}"
            for probe in model.probes
        ],
        "windows": _windows(model),
        "labels": f"final at {model.labels.coverage:.0%} coverage or after {span(model.labels.maturity)}",
        "drift": _drift(model, schema),
        "importance": _importance(model, schema, said),
        "time": model.time,
        "segments": segments_of(model, schema),
        "reports": {name: _report(model, check) for name, check in model.checks.evidently.items()},
    }


def _setting_remarks(model: ModelSettings, facts: ReferenceFacts | None) -> list[str]:
    return [*(reference_remarks(model, facts.rows) if facts else ()), *model_remarks(model)]


def _drift(model: ModelSettings, schema: Schema | None) -> str:
    """The methods, and which columns have none."""
    drift = model.checks.drift
    if drift is None:
        return "not measured"
    if drift.preset is not None:
        methods = ", ".join(drift.chosen) or "its own choice"
        return f"preset {drift.preset} ({methods}): {exact_note(drift.preset)}"
    text = f"by {', '.join(drift.chosen)}"
    if "z" in drift.chosen:
        text += "; z is for columns with two values"
    if schema is not None and (left := _left_out(drift, schema)):
        names = ", ".join(left[:10]) + (f" and {len(left) - 10} more" if len(left) > 10 else "")
        text += f"; none of them is for {names}, whose drift is not measured"
    return text


def _importance(model: ModelSettings, schema: Schema | None, said: dict[str, Any]) -> str | None:
    """How many features have a weight, where it is from, and which of them the model does not have."""
    drift = model.checks.drift
    if drift is None or not drift.weights:
        return None
    weights, source = drift.weights, said["checks"]["drift"]["importance"]
    known = {name for name, _ in schema.watched} if schema is not None else set(weights)
    own = [name for name in weights if name in known]
    text = f"{len(own)} feature{'' if len(own) == 1 else 's'}"
    text += f" from {source}" if isinstance(source, str) else ""
    text += f", {max(own, key=lambda name: weights[name])} most" if own else ""
    if unknown := [name for name in weights if name not in known]:
        names = ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")
        text += f"; the model has no feature {names}"
    return text


def _left_out(drift: DriftSettings, schema: Schema) -> list[str]:
    """Features whose kind no method is for."""
    from checks.drift.methods.registry import METHODS

    chosen = [METHODS[name] for name in drift.chosen]
    kinds = {
        "numeric": any(method.numeric for method in chosen),
        "categorical": any(method.categorical for method in chosen),
        "boolean": any(method.categorical for method in chosen),
    }
    return [name for name, kind in schema.watched if not kinds[kind] and name not in drift.ignore]


def _windows(model: ModelSettings) -> str:
    windows, drift = model.windows, model.checks.drift
    over = f"; drift over {', '.join(map(span, drift.lookback))} as well" if drift and drift.lookback else ""
    return f"{span(windows.every)}, {span(windows.allowed_lateness)} lateness, at least {windows.min_rows} rows{over}"


def _report(model: ModelSettings, check: EvidentlySettings) -> str:
    names = [check.preset or "", *(item if isinstance(item, str) else next(iter(item)) for item in check.metrics)]
    window = check.window or model.windows.every
    return (
        f"{', '.join(filter(None, names))} of Evidently on {span(window)} every {span(check.every or window)}, "
        f"{check.sample} rows at most"
    )


def _report_problems(model: ModelSettings, schema: Schema | None) -> list[str]:
    """What Evidently itself does not have or take, of what the checks name."""
    found: list[str] = []
    if not model.checks.evidently:
        return found
    # Some 8 seconds, for those alone who use it.
    from monitor.worker.evidently.catalog import ReportError, items, unknown_columns
    from monitor.worker.evidently.run import OUTCOME

    for name, check in model.checks.evidently.items():
        try:
            wanted = items(check.preset, tuple(check.metrics), check.options)
        except ReportError as error:
            found.append(f"checks.{name}: {error}")
            continue
        if schema is not None:
            known = [*(feature for feature, _ in schema.watched), *OUTCOME]
            found += [f"checks.{name}: {wrong}" for wrong in unknown_columns(wanted, known)]
    return found


def plain_schema(schema: Schema) -> dict[str, Any]:
    """A schema, JSON-ready."""
    return {
        "task": schema.task,
        "target": schema.target,
        "prediction": schema.prediction,
        "score": schema.score,
        "positive_class": schema.positive_class or None,
        "classes": list(schema.classes),
        "probabilities": dict(schema.probabilities),
        "id": schema.id,
        "time": schema.time,
        "features": dict(schema.features),
        "excluded": dict(schema.excluded),
    }


def print_schema(schema: dict[str, Any] | None) -> None:
    """A schema for people, indented."""
    if schema is None:
        return
    from monitor.cli.output import print_line

    print("  schema, as inferred and overridden")
    for name in ("task", "target", "prediction", "score", "positive_class", "id", "time"):
        if schema[name] is not None:
            print_line(f"    {name:<15} {schema[name]}")
    if schema["classes"]:
        more = " …" if len(schema["classes"]) > 20 else ""
        print_line(f"    {'classes':<15} {', '.join(schema['classes'][:20])}{more}")
    by_type: dict[str, list[str]] = {}
    for feature, kind in schema["features"].items():
        by_type.setdefault(kind, []).append(feature)
    for kind, features in sorted(by_type.items()):
        print_line(f"    {f'{len(features)} {kind}':<15} {', '.join(features)}")
    for column, why in schema["excluded"].items():
        print_line(f"    {'not watched':<15} {column}: {why}")
