"""The model server's own process and its descendants: what they use, and whether they were started anew."""

from __future__ import annotations

import logging
from pathlib import Path

from checks.base import Measurement, NotEnough, Window
from monitor.collectors.container import collector
from monitor.collectors.container.cgroup import Group, locate, read_memberships
from monitor.collectors.process import usage
from monitor.collectors.process.finder import Finder, NotFound, Undecided, at, finder, started_at
from monitor.collectors.process.procfs import Identity, Process, Table, table, tree
from monitor.collectors.recent_count import RecentCount
from monitor.collectors.stale_series import StaleSeries
from monitor.settings.server import CollectSettings, ServerSettings

log = logging.getLogger("watchkeeper.collectors.process")

AGAIN_SECONDS = 60.0
"""Before what can't be decided is looked at again: it takes a look into every process's open files."""


class ProcessCollector:
    """The server's process, in sum with its descendants; and its container, where that is another one than ours.

    A server that was found once is known to run here, so its absence is told (`server_process_up` 0); one that was
    never found is missed only if it was asked for by name. Restarts are those that were seen: at most one a sample.
    """

    name = "process"
    metrics = (
        usage.METRICS
        | collector.METRICS
        | {
            "server_process_up",
            "server_start_time_seconds",
            "server_restarts_total",
            "server_restarts_recent",
        }
    )

    def __init__(
        self,
        finder: Finder,
        model: str,
        *,
        explicit: bool = True,
        cgroup: Path | None = None,
        proc: Path = Path("/proc"),
        own: int | None = None,
    ) -> None:
        """`explicit`: the config asks for it. `cgroup`: where control groups are mounted, None not to look."""
        self._finder, self._model, self._explicit = finder, model, explicit
        self._proc, self._own = proc, own
        self._use = usage.ProcessUse(f"server of model {model}", proc)
        self._container = None if cgroup is None else ServerContainer(model, cgroup, proc)
        self._shown = StaleSeries()
        self._server: Identity | None = None
        self._last: Identity | None = None
        self._started_at = 0.0
        self._restarts = 0
        self._recent = RecentCount()
        self._blocked: tuple[float, str] | None = None
        self._said = ""
        self._pids: frozenset[int] = frozenset()

    def pids(self) -> frozenset[int]:
        """The server's processes as of the last sample; none while it is not found."""
        return self._pids

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        processes = table(self._proc)
        known = self._server is not None and self._here(processes)
        rows = [] if known else self._search(processes, now, monotonic)
        if self._server is None:
            self._pids = frozenset()
        else:
            rows += self._measure(processes, known, now, monotonic)
        if self._last is not None:
            at_once = Window(now, now)
            rows.append(Measurement("server_restarts_total", float(self._restarts), at_once))
            rows.append(Measurement("server_restarts_recent", self._recent.count(monotonic), at_once))
        return self._shown.whole(rows, Window(now, now))

    def _here(self, processes: Table) -> bool:
        process = processes.get(self._server.pid) if self._server else None
        return process is not None and process.identity == self._server

    def _measure(self, processes: Table, known: bool, now: float, monotonic: float) -> list[Measurement]:
        assert self._server is not None
        without = [] if self._own is None else [self._own]
        found = tree(self._server.pid, processes, without)
        self._pids = frozenset(process.pid for process in found)
        return [
            Measurement("server_process_up", 1.0, Window(now, now)),
            Measurement("server_start_time_seconds", self._started_at, Window(now, now)),
            *self._use.measure(found, known, now, monotonic),
            *(self._container.measure(self._server, now, monotonic) if self._container else []),
        ]

    def _search(self, processes: Table, now: float, monotonic: float) -> list[Measurement]:
        """Looks for the server; what is to be said of it while it is not found."""
        if self._server is not None:
            log.warning("server of model %s: process %d has ended", self._model, self._server.pid)
            self._server = None
        if self._blocked is not None and monotonic < self._blocked[0]:
            return self._missing(None, self._blocked[1], now)
        self._blocked = None
        try:
            process = self._finder.find(processes)
        except NotFound as problem:
            return self._missing(0.0, str(problem), now)
        except Undecided as problem:
            self._blocked = (monotonic + AGAIN_SECONDS, str(problem))
            return self._missing(None, str(problem), now)
        self._found(process, monotonic)
        return []

    def _found(self, process: Process, monotonic: float) -> None:
        self._server = process.identity
        if self._last not in (None, self._server):
            self._restarts += 1
            self._recent.add(monotonic)
        self._last = self._server
        # Once: the kernel derives the machine's start from a clock that is being set.
        self._started_at = started_at(self._server)
        self._said = ""
        log.info("server of model %s: process %d (%s) is watched", self._model, process.pid, process.name)

    def _missing(self, up: float | None, problem: str, now: float) -> list[Measurement]:
        if problem != self._said:
            level = logging.WARNING if self._explicit else logging.INFO
            log.log(level, "server of model %s: its process is not watched: %s", self._model, problem)
        self._said = problem
        if not self._explicit and self._last is None:
            return []
        reason = NotEnough.ERROR if up is None else None
        return [Measurement("server_process_up", up, Window(now, now), reason=reason, detail={"error": problem})]


class ServerContainer:
    """The container that the server runs in, if it is not the one that Watchkeeper runs in."""

    def __init__(self, model: str, root: Path, proc: Path = Path("/proc")) -> None:
        self._model, self._root, self._proc = model, root, proc
        self._use = collector.ContainerUse(f"the container of model {model}'s server")
        self._said = False

    def measure(self, server: Identity, now: float, monotonic: float) -> list[Measurement]:
        """What the server's control group says; nothing where it is ours too, or can't be read."""
        try:
            group = self._group(server.pid)
            return self._use.measure(group, now, monotonic) if group else []
        except PermissionError as error:
            if not self._said:
                log.info(
                    "server of model %s: its container is not measured, as %s can't be read; run Watchkeeper as the "
                    "same user or with CAP_SYS_PTRACE",
                    self._model,
                    error.filename,
                )
            self._said = True
        except OSError as error:
            # It has ended in between, or there are no control groups.
            log.debug("no control group of process %d: %s", server.pid, error)
        return []

    def _group(self, pid: int) -> Group | None:
        ours = read_memberships(self._proc / "self/cgroup")
        theirs = read_memberships(self._proc / str(pid) / "cgroup")
        if theirs == ours:
            return None
        # In our tree, if that is the machine's; else as the server's own container is shown it.
        seen = locate(self._root, theirs, elsewhere=True)
        if seen is not None:
            return seen
        inside = self._proc / str(pid) / "root" / self._root.relative_to(self._root.anchor)
        inside.stat()
        return locate(inside, theirs)


def process_collector(
    server: ServerSettings, model: str, collect: CollectSettings, own: int, proc: Path = Path("/proc")
) -> ProcessCollector | None:
    """The collector that the settings ask for; None where they ask for none, or the system has no /proc."""
    if server.process is False:
        return None
    explicit = server.process is not True
    if not (proc / "self/stat").exists():
        if explicit:
            log.warning("server of model %s: its process is not watched: this system has no %s", model, proc)
        return None
    found = at(server.url, proc, own) if server.process is True else finder(server.process, proc, own)
    cgroup = collect.cgroup if collect.container else None
    return ProcessCollector(found, model, explicit=explicit, cgroup=cgroup, proc=proc, own=own)
