from __future__ import annotations

import os
from pathlib import Path

import pytest

from checks.base import Measurement, NotEnough
from monitor.collectors.process.procfs import Identity, Process, table, tree
from monitor.collectors.process.usage import PROCESS, ProcessUse, cpu_between
from tests.fakes.process_tree import ProcessTree


def process(pid: int, started: int, own: float, reaped: float = 0.0) -> Process:
    return Process(pid, "server", 1, started, own, reaped, 1, 0)


def between(before: list[Process], after: list[Process]) -> float:
    newest = max(process.started for process in before)
    return cpu_between({process.identity: process for process in before}, after, newest)


MASTER = process(1, 100, 10.0)


@pytest.mark.parametrize(
    ("before", "after", "used"),
    [
        ([MASTER, process(2, 110, 5.0)], [process(1, 100, 11.0), process(2, 110, 7.0)], 3.0),
        # A worker was started since.
        ([MASTER], [MASTER, process(2, 150, 4.0)], 4.0),
        # A worker ended, having used 3 more; its parent waited for it.
        ([MASTER, process(2, 110, 5.0)], [process(1, 100, 10.0, 8.0)], 3.0),
        # The same, and nobody waited: what it used is lost, and nothing is taken from the others.
        ([MASTER, process(2, 110, 5.0)], [process(1, 100, 11.0)], 1.0),
        # One worker follows the other, under the same pid.
        ([MASTER, process(2, 110, 5.0)], [process(1, 100, 10.0, 5.5), process(2, 150, 1.0)], 1.5),
        # A process that is older than the tree's youngest has joined the tree: what it used before is not the tree's.
        ([MASTER, process(3, 200, 0.0)], [MASTER, process(3, 200, 1.0), process(2, 150, 400.0)], 1.0),
    ],
)
def test_cpu_between_two_samples(before: list[Process], after: list[Process], used: float) -> None:
    assert between(before, after) == pytest.approx(used)


def measured(use: ProcessUse, pid: int, known: bool, moment: float) -> dict[str, Measurement]:
    rows = use.measure(tree(pid, table()), known, moment, moment)
    return {row.name: row for row in rows}


def test_a_server_and_its_workers_are_one() -> None:
    use = ProcessUse("server")
    with ProcessTree(children=2) as server:
        first = measured(use, server.pid, False, 100.0)
        assert first["cpu_utilization_ratio"].reason is NotEnough.FIRST_SAMPLE
        assert (first["server_processes"].value, first["server_threads"].value) == (3, 3)
        assert 1 << 20 < (first["memory_used_bytes"].value or 0) < 1 << 30
        assert 0 < (first["memory_utilization_ratio"].value or 0) < 1
        server.tell("burn", 0.2)
        server.tell("burn_child", 0.2)
        server.tell("open", 30)
        server.tell("thread")
        second = measured(use, server.pid, True, 110.0)
        assert second["cpu_utilization_ratio"].value == pytest.approx(0.4 / 10 / (os.cpu_count() or 1), rel=0.25)
        assert second["cpu_utilization_ratio"].labels == second["memory_used_bytes"].labels == PROCESS
        assert (second["cpu_utilization_ratio"].window.start, second["server_threads"].value) == (100.0, 4)
        assert (second["server_open_fds"].value or 0) == (first["server_open_fds"].value or 0) + 30
        share, before = second["server_fd_utilization_ratio"].value, first["server_fd_utilization_ratio"].value
        assert share is not None and before is not None and 0 < before < share < 1
        server.tell("burn_child", 0.2)
        server.tell("end_child")
        third = measured(use, server.pid, True, 120.0)
        assert third["cpu_utilization_ratio"].value == pytest.approx(0.2 / 10 / (os.cpu_count() or 1), rel=0.25)
        assert third["server_processes"].value == 2


def test_open_files_that_may_not_be_counted_are_absent_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    # A file where a folder should be fails like a folder that may not be read, whoever runs the test.
    (tmp_path / str(os.getpid())).write_text("")
    use = ProcessUse("server of model delays", tmp_path)
    for moment in (0.0, 10.0):
        rows = {row.name for row in use.measure([table()[os.getpid()]], False, moment, moment)}
        assert "server_threads" in rows
        assert not rows & {"server_open_fds", "server_fd_utilization_ratio"}
    said = [record.message for record in caplog.records]
    why = f"the open files of process {os.getpid()} are not measured: not a directory"
    assert said == [f"server of model delays: {why}"]


def test_a_process_that_ends_while_it_is_measured_is_left_out(tmp_path: Path) -> None:
    use = ProcessUse("server", tmp_path)
    (tmp_path / "7").mkdir()
    rows = {row.name: row for row in use.measure([MASTER, process(7, 5, 1.0)], False, 0.0, 0.0)}
    assert "server_open_fds" not in rows
    assert rows["server_processes"].value == 2
    assert Identity(7, 5) == process(7, 5, 1.0).identity
