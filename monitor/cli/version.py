"""`watchkeeper version`."""

from __future__ import annotations

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
