"""`watchkeeper demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.failure import Failure


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the replay; otherwise the page stays up.")] = False,
    no_faults: Annotated[bool, typer.Option("--no-faults", help="Replay the year as it was.")] = False,
    speed: Annotated[float, typer.Option(min=0.01, max=100.0, help="Days of flights a second.")] = 1.0,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where data, model, config, database and logs are kept.")
    ] = Path(".watchkeeper/demo"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0: 9797 if it is free.")] = 0,
    limit_days: Annotated[int | None, typer.Option("--days", min=1, help="Replay only so many days.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the summary there.")] = None,
) -> None:
    """See it work: a real model serves a year of real flights, goes wrong, and Watchkeeper tells.

    Faults are injected, announced, and held against the alerts in a summary at the end."""
    try:
        from monitor.demo.run import main
    except ModuleNotFoundError as error:
        raise Failure(
            f"the demo needs {error.name}; in a checkout run: pip install '.[demo]' ./client (or make run)", 2
        ) from None
    status = main(
        once=once,
        no_faults=no_faults,
        speed=speed,
        folder=folder,
        port=port,
        limit_days=limit_days,
        json_file=json_file,
    )
    raise typer.Exit(status)
