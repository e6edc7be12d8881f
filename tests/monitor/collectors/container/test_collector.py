from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.base import Labels, Measurement, NotEnough, labels
from checks.catalog import CATALOG
from monitor.collectors import Collector
from monitor.collectors.container.collector import ContainerCollector
from monitor.collectors.host import HostCollector
from monitor.collectors.machine import MachineCollector
from monitor.settings.server import CollectSettings
from tests.monitor.collectors.container.test_cgroup import TREES

OWN = labels(scope="container")


class Box:
    """A container whose control group a test writes."""

    def __init__(self, folder: Path, tree: str = "v2_namespace", membership: str = "0::/\n") -> None:
        self.root = shutil.copytree(TREES / tree, folder / "cgroup")
        (folder / "proc/self").mkdir(parents=True)
        self.membership = folder / "proc/self/cgroup"
        self.membership.write_text(membership)
        self.collector = ContainerCollector(self.root, folder / "proc", cores=lambda: 4)
        self.now = 0.0

    def write(self, file: str, *changes: tuple[str, str]) -> None:
        """Replaces the line that begins with a text, or the file's whole text where that is empty."""
        path = self.root / file
        for begin, line in changes:
            lines = path.read_text().splitlines()
            path.write_text("\n".join(line if had.startswith(begin) else had for had in lines) + "\n")

    def sample(self, seconds: float = 10.0) -> dict[tuple[str, Labels], Measurement]:
        self.now += seconds
        rows = self.collector.collect(self.now, self.now)
        assert len({(row.name, row.labels) for row in rows}) == len(rows)
        return {(row.name, row.labels): row for row in rows}

    def values(self, seconds: float = 10.0) -> dict[str, float | NotEnough | None]:
        """Of the series that have no label but the scope: the value, or why there is none."""
        return {
            name: row.reason if row.value is None else row.value
            for (name, own), row in self.sample(seconds).items()
            if own == OWN
        }


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_the_first_sample_knows_amounts_and_no_rates(box: Box) -> None:
    assert box.values() == {
        "cpu_utilization_ratio": NotEnough.FIRST_SAMPLE,
        "cpu_limit_cores": 0.5,
        "cpu_throttled_ratio": NotEnough.FIRST_SAMPLE,
        "cpu_throttled_seconds_total": 0.5,
        "memory_used_bytes": 134217728.0,
        "memory_limit_bytes": 268435456.0,
        "memory_utilization_ratio": 0.5,
        "oom_kills_total": 0.0,
        "oom_kills_recent": 0.0,
    }


def test_what_is_measured_between_two_samples(box: Box) -> None:
    box.sample()
    box.write("cpu.stat", ("usage_usec", "usage_usec 8000000"), ("nr_periods", "nr_periods 2100"))
    box.write("cpu.stat", ("nr_throttled", "nr_throttled 130"), ("throttled_usec", "throttled_usec 2500000"))
    box.write("memory.events", ("oom_kill ", "oom_kill 2"))
    box.write("memory.pressure", ("some", "some avg10=0 avg60=0 avg300=0 total=4000000"))
    rows = box.sample()
    assert rows["cpu_utilization_ratio", OWN].value == pytest.approx(1.0 / (10 * 0.5))  # of the limit
    assert rows["cpu_throttled_ratio", OWN].value == pytest.approx(0.3)
    assert rows["cpu_throttled_seconds_total", OWN].value == 2.5
    assert (rows["oom_kills_total", OWN].value, rows["oom_kills_recent", OWN].value) == (2, 2)
    assert rows["pressure_ratio", labels(scope="container", resource="memory", kind="some")].value == pytest.approx(0.2)
    assert rows["pressure_ratio", labels(scope="container", resource="memory", kind="full")].value == 0
    window = rows["cpu_utilization_ratio", OWN].window
    assert (window.start, window.end) == (10.0, 20.0)
    assert box.values(seconds=899.0)["oom_kills_recent"] == 2
    assert box.values(seconds=1.0)["oom_kills_recent"] == 0


def test_without_a_limit_cpu_is_a_share_of_the_machine_and_memory_of_nothing(box: Box) -> None:
    box.write("cpu.max", ("", "max 100000"))
    box.write("memory.high", ("", "max"))
    box.sample()
    box.write("cpu.stat", ("usage_usec", "usage_usec 17000000"))
    values = box.values()
    assert values["cpu_utilization_ratio"] == pytest.approx(10 / (10 * 4))
    assert values.keys() == {"cpu_utilization_ratio", "memory_used_bytes", "oom_kills_total", "oom_kills_recent"}


def test_a_limit_that_is_lifted_takes_its_series_with_it(box: Box) -> None:
    box.sample()
    box.write("cpu.max", ("", "max 100000"))
    values = box.values()
    gone = {name for name, value in values.items() if value is NotEnough.NOT_FOUND}
    assert gone == {"cpu_limit_cores", "cpu_throttled_ratio", "cpu_throttled_seconds_total"}


def test_an_idle_container_has_no_periods_to_be_throttled_in(box: Box) -> None:
    box.sample()
    values = box.values()
    assert values["cpu_throttled_ratio"] is NotEnough.NO_ROWS
    assert values["cpu_utilization_ratio"] == 0


def test_a_counter_that_fell_has_begun_anew(box: Box) -> None:
    box.write("memory.events", ("oom_kill ", "oom_kill 7"))
    box.sample()
    box.write("cpu.stat", ("usage_usec", "usage_usec 1000000"), ("nr_periods", "nr_periods 50"))
    box.write("cpu.stat", ("nr_throttled", "nr_throttled 5"))
    box.write("memory.events", ("oom_kill ", "oom_kill 1"))
    values = box.values()
    assert values["cpu_utilization_ratio"] == pytest.approx(0.2)
    assert values["cpu_throttled_ratio"] == pytest.approx(0.1)
    assert (values["oom_kills_total"], values["oom_kills_recent"]) == (1, 1)


def test_another_group_at_the_same_place_has_no_last_sample(box: Box, tmp_path: Path) -> None:
    box.sample()
    box.root.rename(tmp_path / "before")
    shutil.copytree(TREES / "v2_namespace", box.root)
    box.write("memory.events", ("oom_kill ", "oom_kill 9"))
    values = box.values()
    assert values["cpu_utilization_ratio"] is NotEnough.FIRST_SAMPLE
    assert (values["oom_kills_total"], values["oom_kills_recent"]) == (9, 0)


def test_a_group_that_is_gone_and_comes_back(box: Box, tmp_path: Path) -> None:
    names = box.values().keys()
    box.root.rename(tmp_path / "before")
    assert set(box.values().values()) == {NotEnough.NOT_FOUND}
    (tmp_path / "before").rename(box.root)
    values = box.values()
    assert values.keys() == names
    assert values["cpu_utilization_ratio"] == 0  # over both intervals


def test_a_file_that_can_t_be_read_is_named_once(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    box.sample()
    assert not caplog.records
    (box.root / "memory.events").unlink()
    for _ in range(3):
        values = box.values()
        assert values["oom_kills_total"] is values["oom_kills_recent"] is NotEnough.NOT_FOUND
        assert values["memory_utilization_ratio"] == 0.5
    assert caplog.text.count("memory.events: there is no such file") == 1


@pytest.mark.parametrize(
    ("tree", "membership"), [("v2", "0::/\n"), ("v1", "4:memory:/\n2:cpu,cpuacct:/\n"), ("v2", "")]
)
def test_on_the_machine_itself_there_is_no_container(tmp_path: Path, tree: str, membership: str) -> None:
    assert Box(tmp_path, tree, membership).sample() == {}


def test_v1(tmp_path: Path) -> None:
    box = Box(tmp_path, "v1", "4:memory:/docker/box\n2:cpu,cpuacct:/docker/box\n")
    box.sample()
    group = "cpu,cpuacct/docker/box"
    box.write(f"{group}/cpu.stat", ("nr_periods", "nr_periods 4100"), ("nr_throttled", "nr_throttled 825"))
    box.write(f"{group}/cpuacct.usage", ("", "63000000000"))
    values = box.values()
    assert values["cpu_utilization_ratio"] == pytest.approx(3 / (10 * 1.5))
    assert values["cpu_throttled_ratio"] == 0.25
    assert (values["memory_utilization_ratio"], values["oom_kills_total"]) == (0.5, 2)


def test_a_process_that_is_moved_is_followed(tmp_path: Path) -> None:
    box = Box(tmp_path, "v2", "0::/kubepods.slice/pod7.slice/sidecar.scope\n")
    assert box.values()["memory_used_bytes"] == 60000000
    box.membership.write_text("0::/kubepods.slice/pod7.slice/server.scope\n")
    values = box.values()
    assert values["memory_used_bytes"] == 536870912
    assert values["cpu_utilization_ratio"] is NotEnough.FIRST_SAMPLE


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    assert ContainerCollector(tmp_path, tmp_path).collect(0.0, 0.0) == []


def test_control_groups_that_may_not_be_read_are_said_once(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.membership.unlink()
    box.membership.mkdir()
    assert [box.sample(), box.sample()] == [{}, {}]
    assert [record.message for record in caplog.records] == [
        f"this container is not measured: {box.membership}: Is a directory"
    ]


def test_host_and_container_are_one_sample(box: Box) -> None:
    both: Collector = MachineCollector([HostCollector(CollectSettings()), box.collector])
    rows = both.collect(0.0, 0.0)
    assert {dict(row.labels)["scope"] for row in rows} == {"host", "watchkeeper", "container"}
    assert {row.name for row in rows} <= both.metrics
    assert len({(row.name, row.labels) for row in rows}) == len(rows)


def test_this_machine() -> None:
    collector = ContainerCollector(CollectSettings().cgroup)
    collector.collect(0.0, 0.0)
    for row in collector.collect(1.0, 1.0):
        assert row.name in collector.metrics
        assert set(dict(row.labels)) == set(CATALOG[row.name].labels)
        assert row.value is None or not row.name.endswith("_ratio") or 0 <= row.value <= 1
