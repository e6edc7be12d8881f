"""Starts the daemon and talks to it over HTTP."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from monitor.cli.run import ENVIRONMENT, daemon_command

T = TypeVar("T")
COMMAND = Path(sys.executable).with_name("watchkeeper")
PORTS = (20_000, 32_000)
CHANCE = random.SystemRandom()
"""Not the common one: tests and hypothesis seed that, in each process alike."""


def free_port() -> int:
    """A port that nothing listens at. It is below those that the kernel gives out by itself, so that neither a
    connection nor a server of another test takes it before it is used, or while its server is away."""
    while True:
        port = CHANCE.randrange(*PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(condition: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """The condition's first truthy value; fails with `what` was awaited when it does not come in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {what}")


@cache
def empty_database() -> bytes:
    """Return a database file with all tables and no rows."""
    # Alembic takes a second to import: what only talks to a daemon does without.
    from monitor.store.migrations import upgrade

    with tempfile.TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/watchkeeper.db")
        return (Path(folder) / "watchkeeper.db").read_bytes()


class Daemon:
    """A daemon on a config in `folder`; the database is `watchkeeper.db` beside it.

    It starts as what `watchkeeper run` becomes, with a database that is made already; with `by_command` by
    `watchkeeper run` itself, which looks at the config and the database first (over a second of CPU time more).
    """

    def __init__(
        self, folder: Path, config: str, env: Mapping[str, str] | None = None, *, by_command: bool = False
    ) -> None:
        self.folder, self.port, self.by_command = folder, free_port(), by_command
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "watchkeeper.yaml").write_text(f"listen: 127.0.0.1:{self.port}\n{config}")
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "daemon.log"
        self._env = {**ENVIRONMENT, **os.environ, **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            print(self.log.read_text()[-6000:])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        self.launch()
        wait_for(self.ready, f"{self.url}/readyz answers 200; the log says:\n{self.log.read_text()[-3000:]}")

    def launch(self) -> None:
        """Starts the process and waits for nothing."""
        assert self.process is None, "the daemon runs already"
        command = [str(COMMAND), "run"] if self.by_command else self._directly()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, env=self._env, start_new_session=True
            )

    def _directly(self) -> list[str]:
        database = self.folder / "watchkeeper.db"
        if not database.exists():
            database.write_bytes(empty_database())
        return daemon_command(Path("watchkeeper.yaml"))

    def stop(self) -> int:
        """Asks the daemon to stop and returns its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process = None
        return status

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=30)
        self.process = None

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            body = reply.read()
            return json.loads(body) if "json" in reply.headers["Content-Type"] else body.decode()

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Posts JSON (or raw bytes) and returns the status and the reply."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path,
            data=data,
            headers={"Content-Type": "application/json", **{name.replace("_", "-"): v for name, v in headers.items()}},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Reads the daemon's database beside it."""
        connection = sqlite3.connect(self.folder / "watchkeeper.db", timeout=30)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def ready(self) -> bool:
        """Whether it answers; fails when the process has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        try:
            self.get("/readyz")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True
