"""`watchkeeper alerts …`."""

from __future__ import annotations

import getpass
import platform
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.context import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    ModelOption,
    load_config,
    models_of,
    open_alerts,
)
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from alerts.incidents.incident import Notice

app = typer.Typer(no_args_is_help=True, help="Alerts, and whether they would reach people.")


@app.command(name="list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Inactive ones, too.")] = False,
    model: ModelOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show pending and firing alerts, the newest change first."""
    from alerts.state.state import Status
    from monitor.cli.output import print_json, print_table

    settings = load_config(config)
    if model is not None:
        models_of(settings, model)
    states = list(Status) if every else [Status.PENDING, Status.FIRING]
    with open_alerts(settings) as store:
        found = store.alerts(model, states)
    if as_json:
        print_json(found)
    elif not found:
        print("no alerts")
    else:
        print_table(
            ("STATE", "MODEL", "RULE", "LABELS", "VALUE", "LEVEL", "SINCE", "WHAT MOVED"),
            [_row(alert) for alert in found],
        )


@app.command()
def ack(
    id: Annotated[str, typer.Argument(help="An incident's id, or the fingerprint of one of its alerts.")],
    for_: Annotated[
        str | None, typer.Option("--for", help="How long, such as 4h; else as the config's acknowledged_for says.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who is on it; else your user name.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say that you are on an incident: nobody is told of it again until that runs out, or it gets more severe."""
    from alerts.duration import seconds
    from monitor.cli.output import print_json, print_line
    from monitor.clock import SystemClock, iso
    from monitor.store.alerts.queries import UnknownIncident

    settings = load_config(config)
    now = SystemClock().time()
    try:
        held = settings.acknowledged_for if for_ is None else seconds(for_)
    except ValueError as error:
        raise Failure(f"--for: {error}", 2) from None
    with open_alerts(settings) as store:
        try:
            incident = store.acknowledge(id, by or getpass.getuser(), now, held)
        except UnknownIncident as error:
            raise Failure(str(error), 1) from None
    if as_json:
        print_json(incident)
    else:
        print_line(f"{incident['model'] or 'host'}: {incident['group']} is acknowledged until {iso(now + held)}")


@app.command()
def explain(
    given: Annotated[
        list[str] | None, typer.Argument(metavar="FINGERPRINT | NAME=VALUE…", help="An alert, or labels of the rule's.")
    ] = None,
    rule: Annotated[str, typer.Option("--rule", metavar="NAME", help="A rule, also one that does not fire.")] = "",
    model: ModelOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say why an alert fires, or why it does not: its level and where that is from, what was seen, what it waits for.

    Examples: watchkeeper alerts explain 9c1e3f0a5b7d2468; watchkeeper alerts explain --rule feature-drift feature=temp
    """
    from monitor.alerting.explain import Explainer, Question, UnknownRule
    from monitor.cli.explained import newest_values, print_explained
    from monitor.cli.output import print_json
    from monitor.clock import SystemClock
    from monitor.config.rules_in_force import all_rules

    settings = load_config(config)
    if model:
        models_of(settings, model)
    labels = dict(text.split("=", 1) for text in given or [] if "=" in text)
    names = [text for text in given or [] if "=" not in text]
    if (len(names) != 1) if not rule else names:
        raise Failure("name an alert by its fingerprint (`alerts list` --json shows it), or give --rule", 2)
    question = Question(names[0] if names else "", rule, model, labels)
    with open_alerts(settings) as store:
        newest, missing = newest_values(settings)
        explainer = Explainer(store.engine, store, all_rules(settings), newest, settings.inhibitions)
        try:
            found = explainer.answer(question, SystemClock().time())
        except UnknownRule as error:
            raise Failure(str(error), 1) from None
    if as_json:
        print_json(found)
    else:
        print_explained(found, missing)


@app.command()
def test(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Send every receiver a message marked as a test, and say which of them took it."""
    from alerts.notify import NotifyError
    from monitor.alerting.alertmanager.send_test import send_test
    from monitor.alerting.receivers import receivers
    from monitor.cli.output import print_json
    from monitor.clock import SystemClock

    settings = load_config(config, notify=True)
    notice = _notice(settings.models[0].model)
    outcomes: dict[str, str] = {}
    for name, receiver in receivers(settings, SystemClock()).items():
        try:
            receiver.send(notice, None)
            outcomes[name] = "sent"
        except NotifyError as error:
            outcomes[name] = str(error)
    outcomes |= {name: problem or "sent" for name, problem in send_test(settings, notice.incident).items()}
    failed = {name: outcome for name, outcome in outcomes.items() if outcome != "sent"}
    if as_json:
        print_json([{"receiver": name, "sent": name not in failed, "error": failed.get(name)} for name in outcomes])
    else:
        for name in outcomes:
            print(f"{name}: {'failed' if name in failed else 'sent'}")
    if not outcomes:
        raise Failure("the config names no receiver; add slack, alertmanager, or console: true", 2)
    if failed:
        raise Failure("\n".join(f"{name}: {error}" for name, error in failed.items()), 1)


def _row(alert: dict[str, Any]) -> tuple[object, ...]:
    from alerts.wording import quantity
    from monitor.clock import iso

    def shown(value: float | None) -> str:
        return "" if value is None else quantity(alert["unit"] or alert["metric"], value)

    labels = " ".join(f"{name}={value}" for name, value in alert["labels"].items())
    since = "" if alert["since"] is None else iso(alert["since"])
    model = alert["model"] or "(host)"
    return (
        alert["state"],
        model,
        alert["rule"],
        labels,
        shown(alert["value"]),
        shown(alert["level"]),
        since,
        "; ".join(alert["moved"]),
    )


def _notice(model: str) -> Notice:
    """An incident that says that it is none."""
    from alerts.incidents.incident import Alert, Incident, Notice, Why
    from alerts.rules.rule import Severity
    from alerts.state.observation import Kind
    from monitor.clock import SystemClock

    now = SystemClock().time()
    alert = Alert(
        fingerprint="0" * 16,
        rule="test",
        metric="test",
        labels={"about": "this is a test, nothing is wrong"},
        severity=Severity.INFO,
        above=True,
        firing=True,
        cause=Kind.VALUE,
        since=now,
        ended=None,
        ended_why="",
        value=1.0,
        level=0.0,
        worst=1.0,
        n=0,
        text="",
        summary=f"TEST: `watchkeeper alerts test` on {platform.node()} sent this; nothing is wrong",
        action="Nothing. Alerts of this config reach this place.",
        runbook="",
    )
    incident = Incident(
        id=str(uuid.uuid4()),
        model=model,
        group="test",
        severity=Severity.INFO,
        since=now,
        opened_at=now,
        ended=None,
        resolved_at=None,
        version=1,
        firing=1,
        total=1,
        alerts=(alert,),
    )
    return Notice(incident, Why.FIRST)
