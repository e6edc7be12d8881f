"""A real model server under steady traffic."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.process import free_port, wait_for


def ask(url: str, body: bytes | None = None) -> int:
    """The status of the answer; 0 without one."""
    try:
        with urllib.request.urlopen(url, data=body, timeout=30) as reply:
            status: int = reply.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def model_server() -> Iterator[str]:
    """Its address. `POST /fault?delay=0.25` or `?broken=true` makes the server ill, `POST /fault` well again."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.model_server", "--port", str(port)])
    enough = threading.Event()

    def drive() -> None:
        while not enough.wait(0.02):
            ask(f"{url}/predict", b"")

    traffic = threading.Thread(target=drive)
    try:
        wait_for(lambda: ask(f"{url}/metrics") == 200, "the model server answers")
        traffic.start()
        yield url
    finally:
        enough.set()
        if traffic.ident is not None:
            traffic.join()
        process.terminate()
        process.wait()
