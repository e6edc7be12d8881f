from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.demo.data import DemoError
from monitor.demo.processes import Child, alone, free_port, run, wait_until

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def test_a_child_runs_logs_and_is_ended_by_its_id(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    wait_until(lambda: "up" in (tmp_path / "log").read_text(), "its start", [child], SystemClock())
    child.check()
    assert child.stop() == -15
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_a_child_that_ended_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = Child("broken", [sys.executable, "-c", "import sys; sys.exit('no such flight')"], tmp_path / "log")
    with pytest.raises(DemoError, match=r"broken ended with status 1(?s:.*)no such flight"):
        wait_until(lambda: False, "never", [child], SystemClock())


def test_waiting_has_an_end(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    try:
        with pytest.raises(DemoError, match=r"the moon did not happen within 0 s"):
            wait_until(lambda: False, "the moon", [child], SystemClock(), seconds=0.2)
    finally:
        child.stop()


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    run("fine", [sys.executable, "-c", ""], tmp_path / "log")
    with pytest.raises(DemoError, match="training failed with status 3"):
        run("training", [sys.executable, "-c", "import sys; sys.exit(3)"], tmp_path / "log")


def test_a_taken_port_is_avoided() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in (0, port)


def test_one_demo_a_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(DemoError, match="another demo runs in"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
