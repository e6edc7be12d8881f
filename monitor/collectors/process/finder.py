"""Finds the model server's process: by its pid, a pid file, its name, the port it listens on, or as our parent.

What is found is a process of one moment with its start, never a bare pid, which another process may have tomorrow.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path, PurePath
from typing import Protocol
from urllib.parse import urlsplit

import psutil

from monitor.collectors.process import listening_sockets
from monitor.collectors.process.procfs import TICKS, Identity, Process, Table, command, topmost, tree
from monitor.net.local_host import is_here
from monitor.settings.server import ProcessSettings

PID_FILE_SLACK = 60.0
"""Seconds by which a process may have started after its pid file was written: clocks are set."""
_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh", "busybox")
_STARTERS = (*_SHELLS, "tini", "dumb-init", "docker-init", "catatonit", "sudo", "su", "runuser", "env", "timeout")
"""Programs whose command line holds that of the program they start."""


_PID_DIGITS = 10


class NotFound(Exception):
    """There is no such process. The message says which."""


class Undecided(Exception):
    """There may be one, but it can't be told which. The message says why, and what to do."""


class Finder(Protocol):
    """One way to find the server's process."""

    what: str
    """What is looked for, such as 'the process that listens on port 8080'."""

    def find(self, processes: Table) -> Process:
        """The server's topmost process, among those there are. Raises NotFound and Undecided."""
        ...


def finder(settings: ProcessSettings, proc: Path = Path("/proc"), own: int | None = None) -> Finder:
    """The finder that the settings ask for. `own` is Watchkeeper's pid: neither it nor what it started is a server."""
    own = os.getpid() if own is None else own
    if settings.pid is not None:
        return ByPid(settings.pid)
    if settings.pid_file is not None:
        return ByPidFile(settings.pid_file)
    if settings.name is not None:
        return ByName(settings.name, proc, own)
    if settings.port is not None:
        return ByPort(settings.port, proc, own)
    return ByPid(os.getppid(), f"the process that started Watchkeeper (pid {os.getppid()})")


def at(url: str, proc: Path = Path("/proc"), own: int | None = None) -> Finder:
    """The finder of the process that serves the URL."""
    return ByAddress(url, proc, os.getpid() if own is None else own)


class ByPid:
    """The process with this pid. Once found it is that process alone: whoever has its pid later is another one."""

    def __init__(self, pid: int, what: str = "") -> None:
        self._pid = pid
        self.what = what or f"process {pid}"
        self._first: Identity | None = None

    def find(self, processes: Table) -> Process:
        process = processes.get(self._pid)
        if process is None:
            raise NotFound(f"{self.what} is not there")
        if self._first not in (None, process.identity):
            raise NotFound(f"{self.what} has ended; another process has its pid")
        self._first = process.identity
        return process


class ByPidFile:
    """The process whose pid is in the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.what = f"the process of {path}"

    def find(self, processes: Table) -> Process:
        try:
            text, written = self._path.read_text(errors="replace").strip(), self._path.stat().st_mtime
        except FileNotFoundError:
            raise NotFound(f"there is no file {self._path}") from None
        except OSError as error:
            raise Undecided(f"{self._path} can't be read: {error.strerror}") from None
        first = text.split("\n", 1)[0].strip()
        if not (first.isascii() and first.isdigit() and len(first) <= _PID_DIGITS):
            raise Undecided(f"{self._path} holds no process id, but {first[:40]!r}")
        process = processes.get(int(first))
        if process is None:
            raise NotFound(f"{self._path} names process {first}, which is not there")
        if started_at(process.identity) > written + PID_FILE_SLACK:
            raise NotFound(f"{self._path} is old: process {first} began after it was written, so it is another one")
        return process


class ByName:
    """The process of this name; where none is called so, the one with this text in its command line."""

    def __init__(self, name: str, proc: Path, own: int) -> None:
        self._name, self._proc, self._own = name, proc, own
        self.what = f"the process named {name!r}"

    def find(self, processes: Table) -> Process:
        words = {pid: command(pid, self._proc) for pid in _others(processes, self._own)}
        named = [pid for pid, line in words.items() if self._name in (processes[pid].name, *_program(line))]
        if not named:
            named = [pid for pid, line in words.items() if self._name in " ".join(line)]
            named = [pid for pid in named if processes[pid].name not in _STARTERS] or named
        if not named:
            raise NotFound(f"no process is named {self._name!r}, or has that in its command line")
        return _the_one(named, processes, f"are named {self._name!r}, or have that in their command line")


class ByPort:
    """The process that listens on this TCP port."""

    def __init__(self, port: int, proc: Path, own: int) -> None:
        self._port, self._proc, self._own = port, proc, own
        self.what = f"the process that listens on port {port}"

    def find(self, processes: Table) -> Process:
        try:
            sockets = listening_sockets.sockets(self._port, self._proc)
        except OSError as error:
            raise Undecided(f"{error.filename} can't be read: {error.strerror}; name the process by name") from None
        if not sockets:
            raise NotFound(f"nothing listens on port {self._port}")
        holders = listening_sockets.holders(sockets, _others(processes, self._own), self._proc)
        # systemd keeps the sockets that it opens for a service.
        holders = [pid for pid in holders if (pid, processes[pid].name) != (1, "systemd")] or holders
        if not holders:
            users = ", ".join(sorted({str(user) for user in sockets.values()}))
            raise Undecided(
                f"what listens on port {self._port} (user id {users}) can't be seen from here: run Watchkeeper as the "
                "same user or with CAP_SYS_PTRACE, and in a Pod with shareProcessNamespace: true; or name the process "
                "by pid_file or name"
            )
        return _the_one(holders, processes, f"listen on port {self._port}")


class ByAddress:
    """The process that listens on the URL's port, if the URL's host is this machine."""

    def __init__(self, url: str, proc: Path, own: int) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._here: bool | None = None
        self._port = ByPort(parts.port or (443 if parts.scheme == "https" else 80), proc, own)
        self.what = self._port.what

    def find(self, processes: Table) -> Process:
        if self._here is None:  # once: the name service may be slow
            self._here = is_here(self._host)
        if not self._here:
            raise NotFound(f"{self._host} is not this machine")
        return self._port.find(processes)


def started_at(identity: Identity) -> float:
    """When the process started, in epoch seconds."""
    return float(psutil.boot_time()) + identity.started / TICKS


def _others(processes: Table, own: int) -> list[int]:
    """The processes that are neither Watchkeeper nor its worker."""
    mine = {process.pid for process in tree(own, processes)}
    return [pid for pid in processes if pid not in mine]


def _program(line: list[str]) -> list[str]:
    """The program's name by its command line: /proc cuts the other one off."""
    return [PurePath(line[0]).name] if line else []


def _the_one(pids: Collection[int], processes: Table, how: str) -> Process:
    found = topmost(pids, processes)
    if len(found) > 1:
        shown = ", ".join(str(process.pid) for process in found[:5]) + (", …" if len(found) > 5 else "")
        raise Undecided(
            f"{len(found)} processes {how} (pids {shown}); name the server's by pid_file, or by another name"
        )
    return found[0]
