from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from checks.base import Measurement, NotEnough, labels
from checks.catalog import CATALOG
from monitor.collectors import Collector
from monitor.collectors.host import CpuTimes, Disk, HostCollector, LocalMachine, MemoryUse
from monitor.settings.server import CollectSettings

HOST, WATCHKEEPER = labels(scope="host"), labels(scope="watchkeeper")


@dataclass
class FakeMachine:
    cpus: list[CpuTimes]
    disks: dict[str, Disk | OSError] = field(default_factory=dict)

    def cpu(self) -> CpuTimes:
        return self.cpus.pop(0)

    def load1_per_core(self) -> float:
        return 1.5

    def memory(self) -> MemoryUse:
        return MemoryUse(total=1000, available=250, process=50)

    def disk(self, path: str) -> Disk:
        found = self.disks[path]
        if isinstance(found, OSError):
            raise found
        return found


def collector(machine: FakeMachine, *disks: str) -> HostCollector:
    return HostCollector(CollectSettings(disks=[Path(disk) for disk in disks]), machine)


def only(rows: list[Measurement], name: str, own: tuple[tuple[str, str], ...] = HOST) -> Measurement:
    (row,) = [row for row in rows if row.name == name and row.labels == own]
    return row


def test_cpu_is_the_share_of_all_cores_between_two_samples() -> None:
    host = collector(FakeMachine([CpuTimes(100, 1000, 10), CpuTimes(130, 1060, 16), CpuTimes(130, 1120, 16)]))
    first = only(host.collect(0.0, 5.0), "cpu_utilization_ratio")
    assert (first.value, first.reason) == (None, NotEnough.FIRST_SAMPLE)
    rows = host.collect(15.0, 20.0)
    assert only(rows, "cpu_utilization_ratio").value == 0.5
    assert only(rows, "cpu_utilization_ratio", WATCHKEEPER).value == 0.1
    assert only(rows, "cpu_utilization_ratio").window.start == 0.0
    assert only(rows, "cpu_utilization_ratio").window.end == 15.0
    assert only(host.collect(30.0, 35.0), "cpu_utilization_ratio").value == 0.0


def test_the_window_is_measured_by_the_monotonic_clock() -> None:
    host = collector(FakeMachine([CpuTimes(0, 0, 0), CpuTimes(1, 2, 0)]))
    host.collect(5000.0, 0.0)
    row = only(host.collect(1000.0, 15.0), "cpu_utilization_ratio")  # the wall clock went back
    assert (row.window.start, row.window.end) == (985.0, 1000.0)


@pytest.mark.parametrize("later", [CpuTimes(100, 1000, 10), CpuTimes(5, 50, 1)])
def test_cpu_counters_that_stand_still_or_begin_anew_give_no_value(later: CpuTimes) -> None:
    host = collector(FakeMachine([CpuTimes(100, 1000, 10), later]))
    host.collect(0.0, 0.0)
    assert only(host.collect(1.0, 1.0), "cpu_utilization_ratio").reason is NotEnough.FIRST_SAMPLE


def test_memory_counts_what_is_not_available() -> None:
    rows = collector(FakeMachine([CpuTimes(0, 0, 0)])).collect(0.0, 0.0)
    assert only(rows, "memory_used_bytes").value == 750
    assert only(rows, "memory_utilization_ratio").value == 0.75
    assert only(rows, "memory_used_bytes", WATCHKEEPER).value == 50
    assert only(rows, "memory_utilization_ratio", WATCHKEEPER).value == 0.05
    assert only(rows, "load1_ratio").value == 1.5


def test_a_disk_that_is_gone_costs_only_its_own_values(caplog: pytest.LogCaptureFixture) -> None:
    disks: dict[str, Disk | OSError] = {"/": Disk(90, 10), "/data": FileNotFoundError(2, "No such file or directory")}
    machine = FakeMachine([CpuTimes(0, n, 0) for n in range(4)], disks)
    host = collector(machine, "/", "/data")
    for moment in (0.0, 1.0):
        rows = host.collect(moment, moment)
        assert only(rows, "disk_utilization_ratio", labels(scope="host", path="/")).value == 0.9
        assert only(rows, "disk_used_bytes", labels(scope="host", path="/")).value == 90
        gone = only(rows, "disk_utilization_ratio", labels(scope="host", path="/data"))
        assert (gone.value, gone.reason) == (None, NotEnough.ERROR)
        assert gone.detail == {"error": "/data: No such file or directory"}
    assert caplog.text.count("can't be measured") == 1
    machine.disks["/data"] = Disk(1, 3)
    assert only(host.collect(2.0, 2.0), "disk_used_bytes", labels(scope="host", path="/data")).value == 1


def test_this_machine() -> None:
    host: Collector = HostCollector(CollectSettings(), LocalMachine())
    host.collect(0.0, 0.0)
    rows = host.collect(1.0, 1.0)
    assert {row.name for row in rows} == host.metrics
    for row in rows:
        assert CATALOG[row.name].clock == "wall"
        assert set(dict(row.labels)) == set(CATALOG[row.name].labels)
        if row.name.endswith("utilization_ratio") and row.value is not None:
            assert 0 <= row.value <= 1
    assert 1 << 20 < (only(rows, "memory_used_bytes", WATCHKEEPER).value or 0) < 4 << 30
