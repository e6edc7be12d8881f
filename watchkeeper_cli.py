"""Starts the command `watchkeeper`, whatever lies in the directory where it is called.

Its packages have plain names, and a project that is watched may well have a `checks/` or a `monitor.py` of its own.
This module has a name that nobody else uses, and clears the path before it imports any of them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

OWN = Path(__file__).resolve().parent
NAMES = ("monitor", "checks", "alerts")


def main() -> None:
    """Runs the command line without the current directory on the path, here and in every process that it starts."""
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    kept = [entry for entry in given if not is_foreign(entry)]
    taken = {entry for entry in ["", *given, *_here()] if is_foreign(entry)}
    sys.path[:] = [entry for entry in sys.path if entry not in taken]
    os.environ.update({"PYTHONPATH": os.pathsep.join(kept), "PYTHONSAFEPATH": "1"})
    from monitor.cli import main as command

    command()


def is_foreign(entry: str) -> bool:
    """Return whether this entry of the path is the current directory, or has something of the name of ours, and is not
    where Watchkeeper itself lies."""
    folder = Path(entry).resolve() if entry else next(map(Path, _here()), OWN)
    if folder == OWN:
        return False
    return str(folder) in _here() or any((folder / f"{name}{end}").exists() for name in NAMES for end in ("", ".py"))


def _here() -> list[str]:
    """Return the current directory, unless it has been removed."""
    try:
        return [str(Path.cwd().resolve())]
    except OSError:
        return []
