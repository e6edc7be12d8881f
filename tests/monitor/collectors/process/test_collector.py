from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from checks.base import Measurement, NotEnough
from checks.catalog import CATALOG
from monitor.collectors import Collector
from monitor.collectors.process.collector import AGAIN_SECONDS, ProcessCollector, ServerContainer, process_collector
from monitor.collectors.process.finder import NotFound, Undecided, at, finder
from monitor.collectors.process.procfs import Identity, Process, Table, table
from monitor.settings.server import CollectSettings, ProcessSettings, ServerSettings
from tests.fakes.process_tree import ProcessTree
from tests.monitor.collectors.as_nobody import as_nobody
from tests.monitor.collectors.container.test_cgroup import TREES

STRANGER = 1 << 30
POD = "kubepods.slice/pod7.slice"


class Watch:
    """A collector, sampled every 15 seconds of a clock that a test owns."""

    def __init__(self, collector: ProcessCollector) -> None:
        self.collector, self.now = collector, 0.0

    def rows(self, seconds: float = 15.0) -> list[Measurement]:
        self.now += seconds
        rows = self.collector.collect(1e9 + self.now, self.now)
        assert {row.name for row in rows} <= self.collector.metrics
        assert len({(row.name, row.labels) for row in rows}) == len(rows)
        return rows

    def sample(self, seconds: float = 15.0) -> dict[str, float | NotEnough | None]:
        return {row.name: row.reason if row.value is None else row.value for row in self.rows(seconds)}


def by_port(port: int, explicit: bool = True) -> Watch:
    if explicit:
        found = finder(ProcessSettings(port=port), own=STRANGER)
        return Watch(ProcessCollector(found, "delays"))
    return Watch(ProcessCollector(at(f"http://127.0.0.1:{port}", own=STRANGER), "delays", explicit=False))


def test_a_server_that_is_killed_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with ProcessTree(children=2) as server:
        watch = by_port(server.port)
        first = watch.sample()
        assert (first["server_process_up"], first["server_processes"]) == (1, 3)
        assert (first["server_restarts_total"], first["server_restarts_recent"]) == (0, 0)
        assert watch.collector.pids() == {server.pid, *server.children}
        started = first["server_start_time_seconds"]
        assert watch.sample()["server_start_time_seconds"] == started
        server.tell("end_child")
        assert watch.sample()["server_processes"] == 2
        assert watch.collector.pids() == {server.pid, server.children[1]}
    _ended(server.children[1])
    for _ in range(3):
        gone = watch.sample()
        assert (gone["server_process_up"], gone["server_restarts_total"], gone["server_restarts_recent"]) == (0, 0, 0)
        for name in ("cpu_utilization_ratio", "memory_used_bytes", "server_threads", "server_start_time_seconds"):
            assert gone[name] is NotEnough.NOT_FOUND
        assert watch.collector.pids() == frozenset()
    with ProcessTree(server.port) as again:
        back = watch.sample()
        assert (back["server_process_up"], back["server_processes"]) == (1, 1)
        assert (back["server_restarts_total"], back["server_restarts_recent"]) == (1, 1)
        assert back["cpu_utilization_ratio"] is NotEnough.FIRST_SAMPLE
        assert isinstance(watch.sample()["cpu_utilization_ratio"], float)
        assert watch.collector.pids() == {again.pid}
        later = watch.sample(884.0)
        assert (later["server_restarts_total"], later["server_restarts_recent"]) == (1, 1)
        assert watch.sample(1.0)["server_restarts_recent"] == 0
    said = [record.message for record in caplog.records]
    assert said == [
        f"server of model delays: process {server.pid} (python) is watched",
        f"server of model delays: process {server.pid} has ended",
        f"server of model delays: its process is not watched: nothing listens on port {server.port}",
        f"server of model delays: process {again.pid} (python) is watched",
    ]


def _ended(pid: int) -> None:
    """Waits until the process is gone: nobody tells this one of its grandchildren's end."""
    for _ in range(1_000_000):
        if pid not in table():
            return
    raise AssertionError(f"process {pid} is still there")


def test_a_restart_between_two_samples_is_seen() -> None:
    with ProcessTree() as server:
        watch = by_port(server.port)
        watch.sample()
    with ProcessTree(server.port):
        back = watch.sample()
        assert (back["server_process_up"], back["server_restarts_total"]) == (1, 1)


def test_a_server_that_has_ended_and_was_not_reaped_is_gone() -> None:
    with ProcessTree() as server:
        watch = by_port(server.port)
        watch.sample()
        server.kill(reap=False)
        assert watch.sample()["server_process_up"] == 0


def test_what_was_asked_for_and_never_found_is_missed_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(ProcessCollector(finder(ProcessSettings(pid=STRANGER)), "delays"))
    for _ in range(3):
        (row,) = watch.rows()
        assert (row.name, row.value, row.detail) == (
            "server_process_up",
            0,
            {"error": f"process {STRANGER} is not there"},
        )
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_was_looked_for_unasked_and_never_found_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    watch = Watch(ProcessCollector(at("http://192.0.2.1:80"), "delays", explicit=False))
    assert [watch.rows() for _ in range(3)] == [[], [], []]
    (said,) = caplog.records
    assert (said.levelname, said.message) == (
        "INFO",
        "server of model delays: its process is not watched: 192.0.2.1 is not this machine",
    )


def test_what_was_found_unasked_is_missed_once_it_is_gone() -> None:
    with ProcessTree() as server:
        watch = by_port(server.port, explicit=False)
        assert watch.sample()["server_process_up"] == 1
    assert watch.sample()["server_process_up"] == 0


class Doubt:
    """A finder that can't decide, and counts how often it was asked."""

    what = "the server"

    def __init__(self) -> None:
        self.asked, self.found = 0, False

    def find(self, processes: Table) -> Process:
        self.asked += 1
        if not self.found:
            raise Undecided("2 processes are named so")
        return processes[os.getpid()]


def test_what_can_t_be_decided_is_no_data_and_asked_again_after_a_while() -> None:
    doubt = Doubt()
    watch = Watch(ProcessCollector(doubt, "delays"))
    for _ in range(4):
        (row,) = watch.rows()
        assert (row.value, row.reason, row.detail["error"]) == (None, NotEnough.ERROR, "2 processes are named so")
    assert doubt.asked == 1
    doubt.found = True
    assert watch.sample(AGAIN_SECONDS)["server_process_up"] == 1


class Replaced:
    """A finder after whose first answer the pid is another process's."""

    what = "the server"

    def find(self, processes: Table) -> Process:
        raise NotFound("nothing")


def test_a_pid_that_is_another_process_s_by_now_is_not_the_server() -> None:
    watch = Watch(ProcessCollector(Replaced(), "delays"))
    own = table()[os.getpid()]
    watch.collector._server = watch.collector._last = Identity(own.pid, own.started - 1)
    assert watch.sample()["server_process_up"] == 0


def test_watchkeeper_itself_is_not_part_of_the_server_that_started_it() -> None:
    with ProcessTree() as server:
        own = table()[server.pid]

        class Parent:
            what = "the process that started it"

            def find(self, processes: Table) -> Process:
                return processes[os.getpid()]

        whole = Watch(ProcessCollector(Parent(), "delays")).collector
        whole.collect(0.0, 0.0)
        without = Watch(ProcessCollector(Parent(), "delays", own=server.pid)).collector
        without.collect(0.0, 0.0)
        assert whole.pids() - without.pids() == {own.pid}


# ---- the server's container ----------------------------------------------------------------------------------------


def system(folder: Path, tree: str, ours: str, theirs: str) -> tuple[Path, Path]:
    """A machine's control groups and /proc, where process 7 is the server."""
    root = shutil.copytree(TREES / tree, folder / "sys/fs/cgroup")
    for pid, text in (("self", ours), ("7", theirs)):
        (folder / "proc" / pid).mkdir(parents=True)
        (folder / "proc" / pid / "cgroup").write_text(text)
    return root, folder / "proc"


def used(container: ServerContainer) -> float | None:
    rows = container.measure(Identity(7, 1), 0.0, 0.0)
    return next((row.value for row in rows if row.name == "memory_used_bytes"), None)


def test_the_server_s_container_in_the_machine_s_tree(tmp_path: Path) -> None:
    root, proc = system(tmp_path, "v2", f"0::/{POD}/sidecar.scope\n", f"0::/{POD}/server.scope\n")
    assert used(ServerContainer("delays", root, proc)) == 536870912


@pytest.mark.parametrize(
    ("tree", "ours", "theirs", "inside"),
    [
        ("v2_namespace", "0::/\n", "0::/../server.scope\n", "v2_namespace"),
        ("v1_bound", "4:memory:/docker/a\n2:cpu,cpuacct:/docker/a\n", "4:memory:/docker/b\n", "v2_namespace"),
    ],
)
def test_the_server_s_container_as_the_server_is_shown_it(
    tmp_path: Path, tree: str, ours: str, theirs: str, inside: str
) -> None:
    """With a shared process namespace (shareProcessNamespace in a Pod)."""
    root, proc = system(tmp_path, tree, ours, theirs)
    shutil.copytree(TREES / inside, proc / "7/root" / root.relative_to("/"))
    assert used(ServerContainer("delays", root, proc)) == 134217728


def test_the_container_is_measured_once_where_both_are_in_it(tmp_path: Path) -> None:
    root, proc = system(tmp_path, "v2_namespace", "0::/\n", "0::/\n")
    assert used(ServerContainer("delays", root, proc)) is None


def test_a_server_on_the_machine_itself_has_no_container(tmp_path: Path) -> None:
    root, proc = system(tmp_path, "v2", f"0::/{POD}/sidecar.scope\n", "0::/\n")
    shutil.copytree(root, proc / "7/root" / root.relative_to("/"))
    assert used(ServerContainer("delays", root, proc)) is None


def test_a_container_that_may_not_be_looked_into_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        root, proc = system(Path(name), "v2_namespace", "0::/\n", "0::/../server.scope\n")
        (proc / "7/root").mkdir(mode=0o700)

        def piece() -> str:
            container = ServerContainer("delays", root, proc)
            assert [container.measure(Identity(7, 1), 0.0, 0.0) for _ in range(2)] == [[], []]
            return "\n".join(record.message for record in caplog.records)

        assert as_nobody(piece) == (
            f"server of model delays: its container is not measured, as {proc}/7/root{root} can't be read; run "
            "Watchkeeper as the same user or with CAP_SYS_PTRACE"
        )


def test_a_container_whose_server_ends_while_it_is_looked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    root, proc = system(tmp_path, "v2_namespace", "0::/\n", "0::/../server.scope\n")
    assert used(ServerContainer("delays", root, proc)) is None
    assert not caplog.records


# ---- as the daemon makes it ----------------------------------------------------------------------------------------


def test_the_settings_decide(tmp_path: Path) -> None:
    with ProcessTree() as server:
        collect = CollectSettings()
        url = f"http://127.0.0.1:{server.port}"
        for process in (True, ProcessSettings(port=server.port), ProcessSettings(pid=server.pid)):
            collector = process_collector(ServerSettings(url=url, process=process), "delays", collect, STRANGER)
            assert collector is not None
            sampled: Collector = collector
            for row in sampled.collect(0.0, 0.0):
                assert set(dict(row.labels)) == set(CATALOG[row.name].labels)
                assert CATALOG[row.name].clock == "wall"
            assert collector.pids() == {server.pid}
        assert process_collector(ServerSettings(url=url, process=False), "delays", collect, STRANGER) is None
        assert process_collector(ServerSettings(url=url), "delays", collect, STRANGER, tmp_path) is None
