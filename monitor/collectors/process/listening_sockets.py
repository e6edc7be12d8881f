"""Which processes listen on a TCP port of this machine, by way of /proc."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

_LISTEN = "0A"


def sockets(port: int, proc: Path = Path("/proc")) -> dict[str, int]:
    """The sockets that listen on the port, as inode → user id, in this network namespace. Raises OSError."""
    ending, found = f":{port:04X}", {}
    for name in ("tcp", "tcp6"):
        try:
            with (proc / "net" / name).open() as lines:
                next(lines, None)
                for line in lines:
                    if ending not in line:  # a busy machine has thousands of lines
                        continue
                    fields = line.split()
                    if fields[3] == _LISTEN and fields[1].endswith(ending):
                        found[fields[9]] = int(fields[7])
        except FileNotFoundError:
            if name == "tcp":
                raise  # without IPv6 there is no tcp6
    return found


def holders(inodes: Collection[str], pids: Iterable[int], proc: Path = Path("/proc")) -> list[int]:
    """Those of the processes that have one of the sockets open; those that may not be looked into are left out."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return [pid for pid in pids if _holds(f"{proc}/{pid}/fd", wanted)]


def _holds(folder: str, wanted: set[str]) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(_target(entry.path) in wanted for entry in entries)
    except OSError:
        return False


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - thousands of them: no objects
    except OSError:
        return ""
