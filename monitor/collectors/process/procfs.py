"""The processes there are, as Linux lists them in /proc: one pass, a fraction of a millisecond for ten processes.

psutil reads several files a process and asks for its start again and again; a sidecar samples too often for that.
Fields: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_ENOUGH = 1 << 12


class Identity(NamedTuple):
    """A process beyond doubt: its pid alone is given to another one after its end."""

    pid: int
    started: int
    """Clock ticks after the machine's start."""


class Process(NamedTuple):
    """One process at one moment."""

    pid: int
    name: str
    """Cut off after 15 bytes."""
    parent: int
    started: int
    cpu_seconds: float
    cpu_seconds_reaped: float
    """Of its children that have ended and were waited for, and of theirs."""
    threads: int
    memory_bytes: int
    """Resident; pages that it shares with others count whole."""

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.started)


Table = dict[int, Process]


def table(proc: Path = Path("/proc")) -> Table:
    """The processes that can be seen from here, by pid; without those that have ended and wait to be reaped."""
    found = {}
    for name in os.listdir(proc):  # noqa: PTH208 - names are enough, and there are many
        if name.isdigit() and (process := _process(f"{proc}/{name}/stat")):
            found[process.pid] = process
    return found


def tree(root: int, processes: Table, without: Iterable[int] = ()) -> list[Process]:
    """The process `root` and its descendants, but the processes `without` and theirs."""
    children: dict[int, list[int]] = defaultdict(list)
    for process in processes.values():
        children[process.parent].append(process.pid)
    found, seen, waiting = [], set(without), [root]
    while waiting:
        pid = waiting.pop()
        if pid not in seen and pid in processes:
            seen.add(pid)
            found.append(processes[pid])
            waiting += children[pid]
    return found


def topmost(pids: Iterable[int], processes: Table) -> list[Process]:
    """Those of the processes that descend from none of the others."""
    chosen = set(pids)
    return [processes[pid] for pid in sorted(chosen) if not any(above in chosen for above in ancestors(pid, processes))]


def ancestors(pid: int, processes: Table) -> list[int]:
    """The process's parent, that one's parent, and so on."""
    found: list[int] = []
    while pid in processes and (parent := processes[pid].parent) and parent not in found:
        found.append(parent)
        pid = parent
    return found


def command(pid: int, proc: Path = Path("/proc")) -> list[str]:
    """The words of its command line; none when it has ended, or belongs to the kernel."""
    try:
        text = (proc / str(pid) / "cmdline").read_text(errors="replace")
    except OSError:
        return []
    return text.rstrip("\0").split("\0") if text else []


def open_files(pid: int, proc: Path = Path("/proc")) -> int:
    """How many file descriptors it has open. Raises OSError."""
    path = proc / str(pid) / "fd"
    # Since Linux 6.2 the directory's size is their number: a server with 10,000 connections need not be listed.
    return path.stat().st_size or len(os.listdir(path))  # noqa: PTH208


def open_files_limit(pid: int, proc: Path = Path("/proc")) -> int | None:
    """How many it may have open; None when it has no limit. Raises OSError."""
    for line in (proc / str(pid) / "limits").read_text().split("\n"):
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return None if soft == "unlimited" else int(soft)
    return None


def _process(path: str) -> Process | None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # ended in between
        return None
    try:
        line = os.read(handle, _ENOUGH)
    except OSError:
        return None
    finally:
        os.close(handle)
    # The name stands in brackets and may itself hold brackets and spaces.
    start, end = line.find(b"("), line.rfind(b")")
    fields = line[end + 2 :].split()
    if len(fields) < 22 or fields[0] in (b"Z", b"X"):
        return None
    return Process(
        pid=int(line[:start]),
        name=line[start + 1 : end].decode(errors="replace"),
        parent=int(fields[1]),
        started=int(fields[19]),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS,
        cpu_seconds_reaped=(int(fields[13]) + int(fields[14])) / TICKS,
        threads=int(fields[17]),
        memory_bytes=int(fields[21]) * PAGE,
    )
