"""`watchkeeper rules …`: the rules in force, as Prometheus takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.suggest import did_you_mean
from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, load_config
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from alerts.rules.rule import Rule
    from checks.catalog import Metric
    from monitor.settings.root import Config

app = typer.Typer(no_args_is_help=True, help="The rules in force, shipped ones and the config's own.")


@app.command()
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="NAME", help="Only this rule; may be given again.")
    ] = None,
    job: Annotated[
        str, typer.Option("--job", metavar="NAME", help="Look only at series that Prometheus scraped under this job.")
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a rule can't be expressed.")] = False,
    recording: Annotated[
        bool, typer.Option("--recording", help="With recording rules for long ranges, which the dashboards read.")
    ] = False,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Write a PrometheusRule for the Prometheus operator.")
    ] = False,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="A label of the PrometheusRule; may be given again."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a Prometheus rule file with the rules that Prometheus can express; the others are named on stderr.

    Example: watchkeeper rules export --output /etc/prometheus/watchkeeper.rules.yml
    """
    from monitor.config.measured_metrics import pace

    labels = _labels(label or [], kubernetes)
    settings = load_config(config)
    chosen = _chosen(settings, rule or [])
    if not chosen:
        raise Failure(f"{config} has no rules in force, so there is nothing to export", 1)
    exported, refused = convert(chosen, job, lambda metric: pace(settings, metric))
    text = compose(exported, refused, settings.evaluate, job if recording else None, labels)
    for name, why in refused.items():
        print(f"not exported: {name}: {why}", file=sys.stderr)
    if len(refused) == len(chosen):
        raise Failure("Prometheus can express none of these rules", 1)
    if output is None:
        print(text, end="")
    else:
        _write(output, text)
        count = len(chosen) - len(refused)
        print(f"{count} rule{'s' if count != 1 else ''} written to {output}", file=sys.stderr)
    if refused and (strict or rule):
        raise Failure(f"{len(refused)} of {len(chosen)} rules can't be expressed", 1)


def render(
    rules: list[Rule], evaluate: float, job: str = "", pace: Callable[[str], float | None] | None = None
) -> tuple[str, dict[str, str]]:
    """The rule file, and why each rule that is not in it is not. `evaluate`: seconds between evaluations; `job`: only
    series of this job of Prometheus; `pace`: seconds between two samples of a metric, `evaluate` unless given."""
    exported, refused = convert(rules, job, pace or (lambda _: evaluate))
    return compose(exported, refused, evaluate), refused


def convert(
    rules: list[Rule], job: str, pace: Callable[[str], float | None]
) -> tuple[list[tuple[Rule, dict[str, Any]]], dict[str, str]]:
    """Each rule with those of Prometheus that say it, and why each other one can't be said."""
    from alerts.promql.rules import ExportedSeries, export
    from alerts.promql.terms import Inexpressible
    from checks.catalog import CATALOG

    def series(name: str, metric: Metric) -> ExportedSeries:
        sampled = metric.clock == "wall"
        return ExportedSeries(metric.labels, sampled, pace(name) if sampled else None)

    metrics = {name: series(name, metric) for name, metric in CATALOG.items()}
    exported: list[tuple[Rule, dict[str, Any]]] = []
    refused: dict[str, str] = {}
    for rule in rules:
        try:
            exported += [(rule, plain) for plain in export(rule, metrics, job)]
        except Inexpressible as error:
            refused[rule.name] = str(error)
    return exported, refused


def compose(
    exported: list[tuple[Rule, dict[str, Any]]],
    refused: dict[str, str],
    evaluate: float,
    recorded: str | None = None,
    labels: dict[str, str] | None = None,
) -> str:
    """The text of a rule file, with recording rules of the job `recorded` (empty: of all) unless that is None; of a
    PrometheusRule where `labels` are given for it."""
    from alerts.promql.recording import recording
    from monitor.cli.rule_file import plain, resource

    interval = f"{round(evaluate * 1000)}ms"
    groups = [] if recorded is None else recording(interval, recorded)
    groups.append({"name": "watchkeeper", "interval": interval, "rules": [rule for _, rule in exported]})
    head = _head([rule for rule, _ in exported], refused)
    return plain(head, groups) if labels is None else resource(head, groups, labels)


def _head(exported: list[Rule], refused: dict[str, str]) -> list[str]:
    """Comments that say what the file is, and where it and Watchkeeper part."""
    from monitor.telemetry.metrics import release

    lines = [f"Rules of Watchkeeper {release()}, by `watchkeeper rules export`."]
    exported = list({rule.name: rule for rule in exported}.values())
    if slow := [rule.name for rule in exported if rule.slo is not None]:
        lines.append(
            "Prometheus' windows slide by the sample, Watchkeeper's by a twentieth of the short one, by which these may"
        )
        lines.append(f"differ in when they fire and resolve: {', '.join(slow)}")
    if several := [rule.name for rule in exported if rule.overrides]:
        lines.append("promtool's lint may call these duplicates; each watches label sets that the others do not:")
        lines.append(f"  {', '.join(several)}")
    if kept := [rule.name for rule in exported if rule.on_no_data == "keep"]:
        lines.append(
            "When their series, or a condition's, vanish, Prometheus resolves these, and Watchkeeper keeps them:"
        )
        lines.append(f"  {', '.join(kept)}")
    if alarmed := [rule.name for rule in exported if rule.on_no_data == "alert"]:
        lines.append("These fire when their series vanish, and Prometheus forgets after a day that there were any:")
        lines.append(f"  {', '.join(alarmed)}")
    if any(rule.error != rule.on_no_data for rule in exported):
        lines.append(
            "A series vanishes as well when measuring fails, for which Watchkeeper's rules have their own `error`."
        )
    if refused:
        lines.append("Prometheus can't express these; Watchkeeper judges them:")
        lines += [f"  {name}: {why}" for name, why in refused.items()]
    return lines


def _labels(pairs: list[str], kubernetes: bool) -> dict[str, str] | None:
    """The labels of a PrometheusRule; None where none is written."""
    if not kubernetes:
        if pairs:
            raise Failure("--label is for a PrometheusRule: add --kubernetes", 2)
        return None
    split = [pair.partition("=") for pair in pairs]
    for key, equals, _ in split:
        if not key or not equals:
            raise Failure(f"--label {key}{equals} is not KEY=VALUE, as in --label release=kube-prometheus-stack", 2)
    return {key: value for key, _, value in split}


def _chosen(settings: Config, names: list[str]) -> list[Rule]:
    from monitor.config.rules_in_force import all_rules

    rules = {rule.name: rule for rule in all_rules(settings)}
    for name in names:
        if name not in rules:
            raise Failure(f"there is no rule {name!r} in force{did_you_mean(name, rules)}", 2)
    return [rules[name] for name in names] if names else list(rules.values())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} can't be written: {error.strerror}", 1) from None
