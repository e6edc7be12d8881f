"""`watchkeeper silence …`: straight on the database that the daemon reads, so it works whether or not that runs."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, JsonOption, load_config, open_alerts
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from alerts.incidents.silence import Silence

app = typer.Typer(no_args_is_help=True, help="Keep alerts from reaching people for a while.")


@app.command()
def add(
    matchers: Annotated[
        list[str],
        typer.Argument(metavar="MATCHER...", help="name=value, !=, =~ (regular expression) or !~; all must hold."),
    ],
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, such as 30m, 2h or 1d.")],
    comment: Annotated[str, typer.Option(help="Why, for others to read.")] = "",
    by: Annotated[str, typer.Option(help="Who (default: the user's name).")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Silence alerts by their labels: rule, model, severity, feature …

    Example: watchkeeper silence add rule=feature-drift feature=~"temp|wind.*" --for 2h --comment "sensor swap"
    """
    from alerts.duration import seconds
    from alerts.incidents.matcher import Matcher
    from monitor.clock import SystemClock, iso
    from monitor.config.check_matchers import reach
    from monitor.config.rules_in_force import all_rules

    now = SystemClock().time()
    try:
        parsed = Matcher.parse_each(matchers)
        settings = load_config(config)
        with open_alerts(settings) as store:
            hit = reach(settings, all_rules(settings), store.alerts(limit=None))
            made = store.add_silence(
                parsed, now, now + seconds(lasting), by=by or getpass.getuser(), comment=comment, now=now
            )
    except ValueError as error:
        raise Failure(str(error), 2) from None
    if problem := hit.problem(parsed):
        print(f"warning: this silence holds nothing back: {problem}", file=sys.stderr)
    _show(
        [made], now, as_json, "\n".join([f"silence {made.id} holds until {iso(made.ends_at)}", *hit.described(parsed)])
    )


@app.command(name="list")
def list_(
    expired: Annotated[bool, typer.Option("--expired", help="Past ones, too.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show active and coming silences."""
    from monitor.clock import SystemClock

    now = SystemClock().time()
    with open_alerts(load_config(config)) as store:
        found = store.list_silences(now, expired)
    _show(found, now, as_json, "" if found else "no silences")


@app.command()
def expire(id: str, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """End a silence now; what it held back is sent."""
    from monitor.clock import SystemClock
    from monitor.store.alerts.queries import UnknownSilence

    now = SystemClock().time()
    with open_alerts(load_config(config)) as store:
        try:
            ended = store.expire_silence(id, now)
        except UnknownSilence as error:
            raise Failure(str(error.args[0]), 1) from None
    _show([ended], now, as_json, f"silence {id} has ended")


def _show(silences: list[Silence], now: float, as_json: bool, sentence: str) -> None:
    from monitor.cli.output import print_json, print_table
    from monitor.clock import iso

    if as_json:
        print_json([_plain(silence, now) for silence in silences])
    elif sentence:
        print(sentence)
    else:
        rows = [
            (
                item.id,
                " ".join(map(str, item.matchers)),
                iso(item.ends_at),
                _state(item, now),
                item.created_by,
                item.comment,
            )
            for item in silences
        ]
        print_table(("ID", "MATCHERS", "ENDS", "STATE", "BY", "COMMENT"), rows)
        for item in silences:
            if item.problem:
                print(f"silence {item.id}: {item.problem}", file=sys.stderr)


def _state(silence: Silence, now: float) -> str:
    if silence.active(now):
        return "active"
    return "expired" if silence.ends_at <= now else "pending"


def _plain(silence: Silence, now: float) -> dict[str, Any]:
    from monitor.clock import iso

    return {
        "id": silence.id,
        "matchers": [{"name": m.name, "op": m.op.value, "value": m.value} for m in silence.matchers],
        "starts_at": iso(silence.starts_at),
        "ends_at": iso(silence.ends_at),
        "state": _state(silence, now),
        "created_by": silence.created_by,
        "comment": silence.comment,
        "problem": silence.problem or None,
    }
