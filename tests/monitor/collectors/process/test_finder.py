from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.collectors.process import finder as finder_module
from monitor.collectors.process.finder import ByPid, ByPort, Finder, NotFound, Undecided, at, finder
from monitor.collectors.process.procfs import Process, Table, table
from monitor.settings.server import ProcessSettings
from tests.fakes.process_tree import ProcessTree
from tests.monitor.collectors.as_nobody import as_nobody

STRANGER = 1 << 30
"""A pid that no process has: the tests' processes are children of this one, and a server is none of Watchkeeper's."""


@pytest.fixture(scope="module")
def server() -> Iterator[ProcessTree]:
    with ProcessTree(children=2) as server:
        yield server


def look(settings: ProcessSettings, own: int = STRANGER) -> int:
    found: Finder = finder(settings, own=own)
    assert found.what
    return found.find(table()).pid


def test_by_port_the_topmost_of_those_that_share_the_socket(server: ProcessTree) -> None:
    assert look(ProcessSettings(port=server.port)) == server.pid


def test_by_the_server_s_address(server: ProcessTree) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", socket.gethostname()):
        assert at(f"http://{host}:{server.port}/x", own=STRANGER).find(table()).pid == server.pid
    with pytest.raises(NotFound, match=r"^192.0.2.1 is not this machine$"):
        at(f"http://192.0.2.1:{server.port}", own=STRANGER).find(table())


def test_nothing_listens(server: ProcessTree) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert look(ProcessSettings(port=port)) == os.getpid()
        with pytest.raises(Undecided):  # Watchkeeper itself is no server
            look(ProcessSettings(port=port), own=os.getpid())
    with pytest.raises(NotFound, match=f"^nothing listens on port {port}$"):
        look(ProcessSettings(port=port))


def test_two_that_listen_on_one_port() -> None:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        code = (
            "import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); "
            f"s.bind(('127.0.0.1', {port})); s.listen(); print('ready', flush=True); sys.stdin.read()"
        )
        arguments = [sys.executable, "-S", "-c", code]
        others = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
        try:
            for other in others:
                assert other.stdout and other.stdout.readline() == b"ready\n"
            assert look(ProcessSettings(port=port)) == os.getpid()  # they are its children
            found = {pid: process for pid, process in table().items() if pid != os.getpid()}
            with pytest.raises(Undecided, match=rf"^2 processes listen on port {port} \(pids {others[0].pid}, "):
                finder(ProcessSettings(port=port), own=STRANGER).find(found)
        finally:
            for other in others:
                other.communicate()


def test_a_port_whose_process_may_not_be_looked_into_is_said_with_what_to_do(server: ProcessTree) -> None:
    processes = table()

    def piece() -> str:
        try:
            return str(ByPort(server.port, Path("/proc"), STRANGER).find(processes))
        except Undecided as problem:
            return str(problem)

    told = as_nobody(piece)
    assert told.startswith(
        f"what listens on port {server.port} (user id 0) can't be seen from here: run Watchkeeper as"
    )
    assert "shareProcessNamespace" in told


@contextlib.contextmanager
def running(*arguments: str | Path) -> Iterator[int]:
    with subprocess.Popen(arguments, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_by_name_exact_before_part_of_the_command_line(tmp_path: Path) -> None:
    program = shutil.copy("/bin/sleep", tmp_path / "delays-model-server-7")  # longer than /proc has names
    with running(program, "600"), running("/bin/sh", "-c", "sleep 600; : delays-model-server-7"):
        found = finder(ProcessSettings(name="delays-model-server-7"), own=STRANGER)
        assert found.find(table()).name == "delays-model-se"
        two = pytest.raises(Undecided, match=r"^2 processes are named 'delays-model-server-7', or .* \(pids ")
        with running(program, "600"), two:
            found.find(table())
    with pytest.raises(NotFound, match=r"^no process is named 'delays-model-server-7', or has that in"):
        look(ProcessSettings(name="delays-model-server-7"))


def test_the_shell_that_starts_a_server_is_not_the_server() -> None:
    with running("/bin/sh", "-c", "sleep 600.7002; :") as shell:
        child = _child_of(shell)
        assert look(ProcessSettings(name="600.7002")) == child.pid
        alone = {number: process for number, process in table().items() if number != child.pid}
        assert finder(ProcessSettings(name="600.7002"), own=STRANGER).find(alone).pid == shell


def _child_of(pid: int) -> Process:
    """The process's only child, once it has become the program that it was started for."""
    for _ in range(100_000):
        children = [process for process in table().values() if process.parent == pid and process.name == "sleep"]
        if children:
            return children[0]
    raise AssertionError("the shell has started nothing")


def test_by_pid_it_is_one_process_for_ever(server: ProcessTree) -> None:
    found = ByPid(server.pid)
    processes = table()
    process = found.find(processes)
    assert process.identity == (server.pid, process.started)
    again: Table = {**processes, server.pid: process._replace(started=process.started + 1)}
    with pytest.raises(NotFound, match=f"^process {server.pid} has ended; another process has its pid$"):
        found.find(again)
    assert found.find(processes) == process
    with pytest.raises(NotFound, match=r"is not there$"):
        found.find({})


def test_by_pid_file(server: ProcessTree, tmp_path: Path) -> None:
    file = tmp_path / "server.pid"
    settings = ProcessSettings(pid_file=file)
    with pytest.raises(NotFound, match=r"^there is no file "):
        look(settings)
    file.write_text(f"{server.pid}\nmore\n")
    assert look(settings) == server.pid
    file.write_text("the server\n")
    with pytest.raises(Undecided, match=r"holds no process id, but 'the server'$"):
        look(settings)
    for odd in ("٣", "²", "1_0", "9" * 5000):
        file.write_text(odd, "utf-8")
        with pytest.raises(Undecided, match="holds no process id, but"):
            look(settings)
    file.write_text(f"{STRANGER}\n")
    with pytest.raises(NotFound, match=r"which is not there$"):
        look(settings)
    file.unlink()
    file.mkdir()
    with pytest.raises(Undecided, match=r"can't be read: Is a directory$"):
        look(settings)


def test_a_pid_file_older_than_its_process_is_another_one_s(server: ProcessTree, tmp_path: Path) -> None:
    file = tmp_path / "server.pid"
    file.write_text(str(server.pid))
    process = table()[server.pid]
    written = finder_module.started_at(process.identity) - finder_module.PID_FILE_SLACK - 1
    os.utime(file, (written, written))
    with pytest.raises(NotFound, match="is old: process"):
        look(ProcessSettings(pid_file=file))


def test_by_parent() -> None:
    assert look(ProcessSettings(parent=True), own=os.getpid()) == os.getppid()
