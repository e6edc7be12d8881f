"""The model server's process: which one it is taken to be, why, and whether it can be looked into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from monitor.cli.doctor.finding import Finding, missing, off, ok, problem
from monitor.collectors.process.finder import NotFound, Undecided, at, finder
from monitor.collectors.process.procfs import open_files, table, tree
from monitor.settings.server import CollectSettings, ServerSettings

_RIGHTS = "run Watchkeeper as the same user, or with CAP_SYS_PTRACE"


def process(settings: ServerSettings | None, collect: CollectSettings, proc: Path = Path("/proc")) -> Iterator[Finding]:
    if settings is None or settings.process is False:
        yield off("", "no server is named" if settings is None else "server.process is false")
        return
    asked = settings.process is not True
    if not (proc / "self/stat").exists():
        yield (problem if asked else missing)("", f"this system has no {proc}")
        return
    own = os.getpid()
    found = at(settings.url, proc, own) if settings.process is True else finder(settings.process, proc, own)
    processes = table(proc)
    try:
        server = found.find(processes)
    except NotFound as error:
        todo = "start it; in a Pod set shareProcessNamespace: true; if it runs elsewhere, server.process: false"
        yield (problem if asked else missing)("", str(error), todo)
        return
    except Undecided as error:
        yield problem("", str(error))
        return
    children = len(tree(server.pid, processes, [own])) - 1
    text = f"pid {server.pid} ({server.name}{f', {children} below it' if children else ''}): {found.what}"
    try:
        yield ok("", f"{text}; {open_files(server.pid, proc)} files open")
    except OSError as error:
        yield missing("", f"{text}; its open files can't be counted: {error.strerror}", _RIGHTS)
    if collect.container:
        try:
            (proc / str(server.pid) / "root").stat()
        except OSError as error:
            yield missing("", f"its container's limits can't be seen: {error.strerror}", _RIGHTS)
