"""`watchkeeper doctor`: what there is to watch with, what is missing, and how to get it."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, JsonOption, load_config
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.cli.doctor.finding import Finding


def doctor(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Look at server, metrics, GPUs, container, database, receivers and clock: what is there, what is missing.

    Works with and without a running daemon, sends nothing that anybody sees, and takes ten seconds at most. Without a
    config it looks at the machine alone. Exit status 1 when something is wrong.
    """
    from monitor.cli.doctor.finding import FindingStatus
    from monitor.cli.doctor.run import examine
    from monitor.cli.output import print_json
    from monitor.clock import SystemClock

    alone = config == DEFAULT_CONFIG and not Path(config).exists()
    settings = None if alone else load_config(config)
    # What parts would log is on the page.
    logging.getLogger("watchkeeper").addHandler(logging.NullHandler())
    found = examine(settings, config, SystemClock())
    wrong = sum(item.status is FindingStatus.PROBLEM for item in found)
    if as_json:
        plain = [
            {"name": item.name, "status": item.status.value, "found": item.found, "todo": item.todo} for item in found
        ]
        print_json({"config": None if alone else str(config), "problems": wrong, "findings": plain})
    else:
        _print(found)
    if wrong:
        raise Failure(f"{wrong} problem{'s' if wrong > 1 else ''} found", 1)


def _print(found: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    from monitor.cli.doctor.lines import WIDTH, lines

    console = Console(highlight=False, soft_wrap=True)
    styles = {"ok": "green", "missing": "yellow", "problem": "bold red", "off": "dim"} if console.is_terminal else {}
    width = min(WIDTH, console.width) if console.is_terminal else WIDTH
    for status, text in lines(found, width):
        # As Text: square brackets in what is shown are no markup.
        line = Text(text)
        if style := styles.get(status):
            line.stylize(style, 0, len(status))
        console.print(line)
    counts = Counter(item.status.value for item in found)
    parts = [f"{counts[name]} {name}" for name in ("ok", "missing", "problem", "off") if counts[name]]
    console.print(Text(f"\n{', '.join(parts)}"))
