"""`watchkeeper doctor`: what there is to watch with, what is missing, and how to get it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, JsonOption, load_config
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.doctor.finding import Finding

WIDTH = 100


def doctor(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Look at server, metrics, GPUs, container, database, receivers and clock: what is there, what is missing.

    Works with and without a running daemon, sends nothing that anybody sees, and takes ten seconds at most. Without a
    config it looks at the machine alone. Exit status 1 when something is wrong.
    """
    from monitor.cli.output import print_json
    from monitor.clock import SystemClock
    from monitor.doctor.examine import examinations, examine
    from monitor.doctor.finding import Status

    alone = config == DEFAULT_CONFIG and not Path(config).exists()
    settings = None if alone else load_config(config)
    clock = SystemClock()
    found = examine(examinations(settings, clock), clock)
    if as_json:
        plain = [
            {"name": item.name, "status": item.status.value, "found": item.found, "todo": item.todo} for item in found
        ]
        print_json({"config": None if alone else str(config), "findings": plain})
    else:
        _print(found, alone)
    if wrong := sum(item.status is Status.PROBLEM for item in found):
        raise Failure(f"{wrong} problem{'s' if wrong > 1 else ''} found", 1)


def _print(found: list[Finding], alone: bool) -> None:
    from textwrap import wrap

    from alerts.wording import clean

    if alone:
        print(f"There is no {DEFAULT_CONFIG} here, so only the machine is looked at; `watchkeeper init` writes one.\n")
    width = max(len(item.name) for item in found)
    for item in found:
        head = f"{item.status.value:<8} {clean(item.name, 60):<{min(width, 60)}}  "
        lines = wrap(clean(item.found, 600), max(30, WIDTH - len(head))) or [""]
        if item.todo:
            lines += [
                f"→ {line}" if not index else f"  {line}" for index, line in enumerate(_todo(item.todo, len(head)))
            ]
        print(head + lines[0])
        for line in lines[1:]:
            print(" " * len(head) + line)


def _todo(text: str, used: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, max(30, WIDTH - used - 2))
