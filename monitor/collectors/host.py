"""The machine, and Watchkeeper's own process on it, through psutil."""

from __future__ import annotations

import logging
from typing import NamedTuple, Protocol

import psutil

from checks.base import Measurement, NotEnough, Window, labels
from monitor.settings.server import CollectSettings

log = logging.getLogger("watchkeeper.collectors.host")

HOST = labels(scope="host")
WATCHKEEPER = labels(scope="watchkeeper")


class CpuTimes(NamedTuple):
    """Seconds of CPU since start, over all cores."""

    busy: float
    total: float
    process: float


class MemoryUse(NamedTuple):
    """Bytes. What is available without swapping counts as free, so page cache is not 'in use'."""

    total: int
    available: int
    process: int


class Disk(NamedTuple):
    """Bytes, as an unprivileged process sees them: what is reserved for root is neither used nor free."""

    used: int
    free: int


class Machine(Protocol):
    """What is asked of the operating system."""

    def cpu(self) -> CpuTimes: ...

    def load1_per_core(self) -> float: ...

    def memory(self) -> MemoryUse: ...

    def disk(self, path: str) -> Disk: ...


class LocalMachine:
    """The machine this process runs on. Inside a container psutil shows the host, hence the scope's name."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def cpu(self) -> CpuTimes:
        times = psutil.cpu_times()._asdict()
        # Linux counts a guest's time in user and nice already.
        total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
        own = self._process.cpu_times()
        return CpuTimes(total - times["idle"] - times.get("iowait", 0.0), total, own.user + own.system)

    def load1_per_core(self) -> float:
        return float(psutil.getloadavg()[0]) / (psutil.cpu_count() or 1)

    def memory(self) -> MemoryUse:
        memory = psutil.virtual_memory()
        return MemoryUse(memory.total, memory.available, self._process.memory_info().rss)

    def disk(self, path: str) -> Disk:
        usage = psutil.disk_usage(path)
        return Disk(usage.used, usage.free)


class HostCollector:
    """CPU, load, memory and disks of the host, CPU and memory of this process."""

    name = "host"
    metrics = frozenset(
        {
            "cpu_utilization_ratio",
            "load1_ratio",
            "memory_used_bytes",
            "memory_utilization_ratio",
            "disk_used_bytes",
            "disk_utilization_ratio",
        }
    )

    def __init__(self, settings: CollectSettings, machine: Machine | None = None) -> None:
        self._disks = [str(path) for path in settings.disks]
        self._machine = machine or LocalMachine()
        self._before: tuple[float, CpuTimes] | None = None
        self._lost: set[str] = set()

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        cpu, memory = self._machine.cpu(), self._machine.memory()
        window = Window(now - (monotonic - self._before[0] if self._before else 0.0), now)
        rows = [
            *self._cpu(cpu, window),
            Measurement("load1_ratio", self._machine.load1_per_core(), window, HOST),
            *_memory(memory, window),
        ]
        for path in self._disks:
            rows += self._disk(path, window)
        self._before = (monotonic, cpu)
        return rows

    def _cpu(self, now: CpuTimes, window: Window) -> list[Measurement]:
        """Shares of all cores between two samples."""
        before = self._before[1] if self._before else now
        total = now.total - before.total
        rows = []
        for scope, used in ((HOST, now.busy - before.busy), (WATCHKEEPER, now.process - before.process)):
            # No time has passed at the first sample, or when the machine's counters began anew.
            share = min(1.0, max(0.0, used / total)) if total > 0 else None
            reason = NotEnough.FIRST_SAMPLE if share is None else None
            rows.append(Measurement("cpu_utilization_ratio", share, window, scope, reason=reason))
        return rows

    def _disk(self, path: str, window: Window) -> list[Measurement]:
        names = ("disk_used_bytes", "disk_utilization_ratio")
        where = labels(scope="host", path=path)
        try:
            disk = self._machine.disk(path)
        except OSError as error:
            if path not in self._lost:
                log.warning("disk %s can't be measured: %s", path, error.strerror or error)
            self._lost.add(path)
            detail = {"error": f"{path}: {error.strerror or error}"}
            return [Measurement(name, None, window, where, reason=NotEnough.ERROR, detail=detail) for name in names]
        self._lost.discard(path)
        size = disk.used + disk.free
        if not size:
            return [Measurement(name, None, window, where, reason=NotEnough.NO_ROWS) for name in names]
        return [
            Measurement("disk_used_bytes", float(disk.used), window, where),
            Measurement("disk_utilization_ratio", disk.used / size, window, where),
        ]


def _memory(memory: MemoryUse, window: Window) -> list[Measurement]:
    rows = []
    for scope, used in ((HOST, memory.total - memory.available), (WATCHKEEPER, memory.process)):
        rows.append(Measurement("memory_used_bytes", float(used), window, scope))
        rows.append(Measurement("memory_utilization_ratio", used / memory.total, window, scope))
    return rows
