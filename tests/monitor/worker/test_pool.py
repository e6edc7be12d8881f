from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.settings.root import WorkerSettings
from monitor.worker.compaction.commit import Overtaken
from monitor.worker.pool import Worker, WorkerError
from monitor.worker.process import perform
from monitor.worker.references.resolve import ReferenceChanged
from tests.monitor.worker import worker_tasks

ROOT = Path(__file__).parents[3]


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(WorkerSettings(timeout=120.0, idle=300.0), SystemClock())
    yield made
    made.stop()


def test_runs_a_function_in_another_process_and_keeps_it(worker: Worker) -> None:
    assert worker.pids() == []
    first = worker.run(worker_tasks.pid)
    assert first != os.getpid()
    assert worker.run(worker_tasks.pid) == first
    assert worker.pids() == [first]
    assert worker.run(worker_tasks.add, 2, 3) == 5


def test_threads_take_turns(worker: Worker) -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda i=i: results.append(worker.run(worker_tasks.add, i, 0))) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(8))


def test_a_task_over_its_time_is_killed_and_the_next_one_runs(worker: Worker) -> None:
    first = worker.run(worker_tasks.pid)
    with pytest.raises(WorkerError, match=r"worker_tasks.hang ran longer than 0.2 s") as caught:
        worker.run(worker_tasks.hang, timeout=0.2)
    assert caught.value.kind == "timeout"
    assert not alive(first)
    assert worker.run(worker_tasks.pid) != first


def test_a_task_over_the_memory_limit_is_killed_and_the_next_one_runs() -> None:
    worker = Worker(WorkerSettings(memory_bytes=200 << 20), SystemClock())
    try:
        with pytest.raises(WorkerError, match=r"over the limit of 200 MiB") as caught:
            worker.run(worker_tasks.hoard, 400 << 20)
        assert caught.value.kind == "memory"
        assert worker.run(worker_tasks.add, 1, 1) == 2
    finally:
        worker.stop()


def test_a_crash_is_told_with_its_status_and_the_next_task_runs(worker: Worker) -> None:
    with pytest.raises(WorkerError, match=r"exit status 7") as caught:
        worker.run(worker_tasks.die, 7)
    assert caught.value.kind == "crashed"
    assert worker.run(worker_tasks.add, 1, 1) == 2


def test_an_idle_process_killed_by_another_is_replaced(worker: Worker) -> None:
    first = worker.run(worker_tasks.pid)
    os.kill(first, signal.SIGKILL)
    until(lambda: not alive(first))
    # At once, or after the pool has noticed: either way the task after next must run.
    try:
        second = worker.run(worker_tasks.pid)
    except WorkerError as error:
        assert error.kind == "crashed"
        second = worker.run(worker_tasks.pid)
    assert second != first


def test_an_exception_comes_as_text_so_that_its_library_is_not_imported(worker: Worker) -> None:
    with pytest.raises(WorkerError, match=r"^the third wheel$") as caught:
        worker.run(worker_tasks.fail)
    assert (caught.value.kind, caught.value.again) == ("raised", False)
    assert caught.value.__cause__ is None


def test_an_exception_without_words_comes_as_its_class(worker: Worker) -> None:
    with pytest.raises(WorkerError, match=r"^Odd$"):
        worker.run(worker_tasks.fail, "")


@pytest.mark.parametrize("problem", [Overtaken, ReferenceChanged])
def test_a_task_that_another_process_got_ahead_of_asks_to_be_tried_again(
    worker: Worker, problem: type[Exception]
) -> None:
    with pytest.raises(WorkerError, match=r"^too late$") as caught:
        worker.run(worker_tasks.fail, "too late", problem)
    assert (caught.value.kind, caught.value.again) == ("raised", True)


def test_what_the_database_refuses_a_task_is_one_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outcome = perform(worker_tasks.read, (f"sqlite:///{tmp_path}/none.db", "select 'secret'"))
    assert (outcome.failure, outcome.damage) == ("raised", "")
    assert "can't be opened" in outcome.text and "none.db" in outcome.text
    assert "Traceback" not in caplog.text and "secret" not in caplog.text + outcome.text


def test_a_mistake_in_a_task_keeps_its_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "w.db").touch()
    outcome = perform(worker_tasks.read, (f"sqlite:///{tmp_path}/w.db", "select * from missing"))
    assert outcome.failure == "raised" and "no such table" in outcome.text and "Traceback" in caplog.text


def test_a_database_that_a_task_finds_damaged_is_reported(tmp_path: Path) -> None:
    found: list[str] = []
    (tmp_path / "w.db").write_bytes(b"anything else" * 1000)
    worker = Worker(WorkerSettings(), SystemClock(), on_damage=found.append)
    try:
        with pytest.raises(WorkerError, match="is damaged or not a database"):
            worker.run(worker_tasks.read, f"sqlite:///{tmp_path}/w.db", "select 1")
    finally:
        worker.stop()
    assert found == ["file is not a database"]


def test_a_task_that_finds_no_memory_is_of_kind_memory(worker: Worker) -> None:
    with pytest.raises(WorkerError, match=r"^MemoryError$") as caught:
        worker.run(worker_tasks.exhaust)
    assert caught.value.kind == "memory"


def test_signals_of_the_terminal_do_not_cut_a_task_short(worker: Worker) -> None:
    assert worker.run(worker_tasks.terminated_midway) == "finished"
    assert worker.run(worker_tasks.add, 1, 1) == 2


def test_an_idle_process_ends_and_comes_back() -> None:
    worker = Worker(WorkerSettings(idle=0.1), SystemClock())
    try:
        first = worker.run(worker_tasks.pid)
        until(lambda: not alive(first))
        assert worker.pids() == []
        assert worker.run(worker_tasks.pid) != first
    finally:
        worker.stop()


def test_a_process_is_replaced_after_its_share_of_tasks() -> None:
    worker = Worker(WorkerSettings(), SystemClock(), tasks=2)
    try:
        pids = [worker.run(worker_tasks.pid) for _ in range(4)]
    finally:
        worker.stop()
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_stop_ends_the_process_and_refuses_more() -> None:
    worker = Worker(WorkerSettings(), SystemClock())
    pid = worker.run(worker_tasks.pid)
    worker.stop()
    assert not alive(pid)
    with pytest.raises(WorkerError, match="has been stopped"):
        worker.run(worker_tasks.pid)


def test_stop_gives_a_running_task_a_while_and_then_kills_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.worker.pool.GRACE_SECONDS", 0.1)
    worker = Worker(WorkerSettings(), SystemClock())
    caught: list[WorkerError] = []

    def call() -> None:
        try:
            worker.run(worker_tasks.touch_and_hang, str(tmp_path / "pid"))
        except WorkerError as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    pid = int((tmp_path / "pid").read_text())
    worker.stop()
    thread.join(timeout=30)
    assert [(error.kind, "daemon stops" in str(error)) for error in caught] == [("crashed", True)]
    assert not alive(pid)


def daemon(code: str, *args: str) -> subprocess.Popen[str]:
    """A daemon's stand-in: a script with a `__main__` that must not run twice."""
    script = f"""
import logging, sys, threading
print("main", flush=True)
sys.modules["heavy_cli"] = sys
from monitor.clock import SystemClock
from monitor.settings.root import WorkerSettings
from monitor.worker.pool import Worker
from tests.monitor.worker import worker_tasks as tasks
logging.basicConfig(level=logging.INFO)
worker = Worker(WorkerSettings(), SystemClock())
{code}
"""
    path = Path(args[0]) / "daemon.py"
    path.write_text(script)
    return subprocess.Popen(
        [sys.executable, str(path), *args],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_process_loads_neither_the_daemons_main_nor_its_command_line(tmp_path: Path) -> None:
    process = daemon(
        "print(*worker.run(tasks.modules)); worker.run(tasks.say, 'hello from below'); worker.stop()", str(tmp_path)
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    mains, modules = out.splitlines()
    assert mains == "main"
    assert not {"typer", "rich", "litestar", "numpy", "pyarrow", "pandas"} & set(modules.split())
    assert "INFO watchkeeper.worker.test: hello from below" in err


def test_no_worker_outlives_a_daemon_that_is_killed(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    process = daemon("worker.run(tasks.beat, sys.argv[2])", str(tmp_path), str(beats))
    until(beats.exists)
    until(lambda: beats.read_text().endswith("\n"))
    pid = int(beats.read_text().split()[0])
    assert alive(pid)
    process.kill()
    process.communicate(timeout=30)
    until(lambda: not alive(pid))


def test_the_daemons_side_loads_no_numerics() -> None:
    code = (
        "import sys, monitor.worker.pool, monitor.worker.messages, monitor.worker.tasks,"
        " monitor.worker.upkeep.retention\n"
        "print(sorted({'numpy', 'pandas', 'pyarrow', 'scipy', 'sklearn', 'evidently'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
