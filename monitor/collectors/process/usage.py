"""What a server's processes use together: CPU, memory, threads, file descriptors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import psutil

from checks.base import Measurement, NotEnough, Window, labels
from monitor.collectors.process.procfs import Identity, Process, open_files, open_files_limit

log = logging.getLogger("watchkeeper.collectors.process")

PROCESS = labels(scope="process")
METRICS = frozenset(
    {
        "cpu_utilization_ratio",
        "memory_used_bytes",
        "memory_utilization_ratio",
        "server_processes",
        "server_threads",
        "server_open_fds",
        "server_fd_utilization_ratio",
    }
)


class ProcessUse:
    """Measures a tree of processes, sample by sample.

    Memory is the sum of resident sets, so pages that workers share count once for each of them: dividing them fairly
    (PSS) would have the kernel walk every page of a model server at each sample.
    """

    def __init__(self, whose: str, proc: Path = Path("/proc")) -> None:
        self._whose, self._proc = whose, proc
        self._before: tuple[float, dict[Identity, Process]] | None = None
        self._newest = 0
        self._said = False

    def measure(self, tree: Sequence[Process], known: bool, now: float, monotonic: float) -> list[Measurement]:
        """The tree's sums. `known` tells that its topmost process is that of the last sample."""
        before = self._before if known else None
        seconds = monotonic - before[0] if before else 0.0
        window = Window(now - seconds, now)
        rows = [self._cpu(tree, before[1] if before else None, window)]
        self._before = (monotonic, {process.identity: process for process in tree})
        self._newest = max(process.started for process in tree)
        memory = sum(process.memory_bytes for process in tree)
        return [
            *rows,
            Measurement("memory_used_bytes", float(memory), window, PROCESS),
            Measurement("memory_utilization_ratio", min(1.0, memory / psutil.virtual_memory().total), window, PROCESS),
            Measurement("server_processes", float(len(tree)), window),
            Measurement("server_threads", float(sum(process.threads for process in tree)), window),
            *self._files(tree, window),
        ]

    def _cpu(self, tree: Sequence[Process], before: dict[Identity, Process] | None, window: Window) -> Measurement:
        if before is None or window.seconds <= 0:
            reason = NotEnough.FIRST_SAMPLE
            return Measurement("cpu_utilization_ratio", None, window, PROCESS, reason=reason)
        used = cpu_between(before, tree, self._newest)
        share = used / (window.seconds * (psutil.cpu_count() or 1))
        return Measurement("cpu_utilization_ratio", min(1.0, share), window, PROCESS)

    def _files(self, tree: Sequence[Process], window: Window) -> list[Measurement]:
        """The number of open files, and the share of its limit in the process that is nearest to it."""
        total, shares = 0, []
        for process in tree:
            try:
                number, limit = open_files(process.pid, self._proc), open_files_limit(process.pid, self._proc)
            except (FileNotFoundError, ProcessLookupError):  # ended in between
                continue
            except OSError as error:
                self._say(process.pid, error)
                return []
            total += number
            if limit:
                shares.append(number / limit)
        if not total:
            return []
        rows = [Measurement("server_open_fds", float(total), window)]
        if shares:
            rows.append(Measurement("server_fd_utilization_ratio", max(shares), window))
        return rows

    def _say(self, pid: int, error: OSError) -> None:
        if not self._said:
            why = (error.strerror or str(error)).lower()
            log.info("%s: the open files of process %d are not measured: %s", self._whose, pid, why)
        self._said = True


def cpu_between(before: dict[Identity, Process], tree: Sequence[Process], newest: int) -> float:
    """Seconds of CPU that the tree has used since `before`; `newest` is the start of the youngest process then.

    What a process used that has ended since is added to its parent's children by the kernel when the parent waits for
    it; if nobody did, it is lost. A process that was not in the tree and is no younger than all of it has joined it.
    """
    own = reaped = 0.0
    for process in tree:
        then = before.get(process.identity)
        if then is not None:
            own += process.cpu_seconds - then.cpu_seconds
            reaped += process.cpu_seconds_reaped - then.cpu_seconds_reaped
        elif process.started >= newest:
            own += process.cpu_seconds
            reaped += process.cpu_seconds_reaped
    here = {process.identity for process in tree}
    ended = sum(
        process.cpu_seconds + process.cpu_seconds_reaped for identity, process in before.items() if identity not in here
    )
    return max(0.0, own, own + reaped - ended)
