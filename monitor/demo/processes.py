"""The demo's child processes: started with a log file each, awaited, ended by their own id."""

from __future__ import annotations

import fcntl
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from monitor.clock import Clock
from monitor.demo.data import DemoError

STOP_SECONDS = 15.0


class Child:
    """A running process whose output goes to `log`. It is in a session of its own: Ctrl-C reaches the demo alone,
    which then ends its children in order."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises DemoError if the process has ended."""
        if (status := self._process.poll()) is not None:
            raise DemoError(f"{self.name} ended with status {status}; the end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> int:
        """Asks the process to end, makes it end if it does not, and returns its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()


def run(name: str, command: Sequence[str], log: Path) -> None:
    """Runs a command to its end. Raises DemoError if it fails."""
    with log.open("wb") as output:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT).returncode
    if status:
        raise DemoError(f"{name} failed with status {status}; the end of {log}:\n{tail(log)}")


def wait_until(
    ready: Callable[[], bool], what: str, children: Sequence[Child], clock: Clock, seconds: float = 60.0
) -> None:
    """Waits until `ready`. Raises DemoError when a child ends before, or `seconds` pass."""
    end = clock.monotonic() + seconds
    while not ready():
        for child in children:
            child.check()
        if clock.monotonic() > end:
            logs = "\n".join(f"the end of {child.log}:\n{tail(child.log)}" for child in children)
            raise DemoError(f"{what} did not happen within {seconds:.0f} s; {logs}")
        time.sleep(0.1)


def tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def free_port(wanted: int = 0) -> int:
    """`wanted` if nothing listens there, else any free port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keeps a second demo out of `folder`. Raises DemoError if there is a first."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoError(f"another demo runs in {folder}; end it, or name another folder with --dir") from error
        yield
