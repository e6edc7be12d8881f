from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path

from monitor.collectors.process.procfs import ancestors, command, open_files, open_files_limit, table, topmost, tree
from tests.fakes.process_tree import ProcessTree


def test_own_process() -> None:
    process = table()[os.getpid()]
    assert process.parent == os.getppid()
    assert process.threads >= 1
    assert 1 << 20 < process.memory_bytes < 4 << 30
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert abs(process.cpu_seconds - used.ru_utime - used.ru_stime) < 0.5
    assert process.started > 0
    assert process.parent in ancestors(os.getpid(), table())


def test_a_tree_is_the_process_and_its_descendants() -> None:
    with ProcessTree(children=2) as server:
        server.tell("thread")
        processes = table()
        assert {process.pid for process in tree(server.pid, processes)} == {server.pid, *server.children}
        assert processes[server.pid].threads == 2
        assert [process.pid for process in topmost([server.pid, *server.children], processes)] == [server.pid]
        assert [process.pid for process in topmost(server.children, processes)] == sorted(server.children)
        mine = {process.pid for process in tree(os.getpid(), processes)}
        assert mine >= {os.getpid(), server.pid, *server.children}
        without = {process.pid for process in tree(os.getpid(), processes, [server.pid])}
        assert without == mine - {server.pid, *server.children}
        assert tree(1 << 30, processes) == []


def test_a_process_that_has_ended_and_was_not_reaped_is_not_there() -> None:
    with ProcessTree() as server:
        assert server.pid in table()
        server.kill(reap=False)
        assert Path(f"/proc/{server.pid}/stat").exists()
        assert server.pid not in table()


def test_a_name_may_hold_brackets_and_spaces(tmp_path: Path) -> None:
    program = shutil.copy("/bin/sleep", tmp_path / "a) S (1 b")
    with subprocess.Popen([program, "600"]) as process:
        try:
            found = table()[process.pid]
            assert (found.name, found.parent) == ("a) S (1 b", os.getpid())
            assert command(process.pid) == [str(program), "600"]
        finally:
            process.kill()


def test_open_files() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert open_files_limit(os.getpid()) == (None if soft == resource.RLIM_INFINITY else soft)
    with ProcessTree() as server:
        before = open_files(server.pid)
        server.tell("open", 20)
        assert open_files(server.pid) == before + 20


def test_open_files_on_an_older_kernel_are_listed(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/fd").symlink_to("/proc/self/fdinfo")  # the same names, in a folder that has no size
    assert (tmp_path / "7/fd").stat().st_size == 0
    assert open_files(7, tmp_path) - 1 <= open_files(os.getpid()) <= open_files(7, tmp_path)
    (tmp_path / "7/limits").write_text(
        "Limit  Soft Limit  Hard Limit  Units\nMax open files  unlimited  unlimited  files\n"
    )
    assert open_files_limit(7, tmp_path) is None


def test_the_command_line_of_a_process_that_is_gone_is_empty(tmp_path: Path) -> None:
    assert command(7, tmp_path) == []
