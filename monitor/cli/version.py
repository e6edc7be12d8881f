"""`watchkeeper version`, and `watchkeeper --version`."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.context import JsonOption


def version(as_json: JsonOption = False) -> None:
    """Print Watchkeeper's version."""
    import platform
    from importlib.metadata import version as installed

    from monitor.cli.output import print_json

    if as_json:
        print_json({"watchkeeper": installed("watchkeeper"), "python": platform.python_version()})
    else:
        print(f"watchkeeper {installed('watchkeeper')}")


def _printed(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


Asked = Annotated[bool, typer.Option("--version", help="Print the version and exit.", callback=_printed, is_eager=True)]


def options(asked: Asked = False) -> None:
    pass
