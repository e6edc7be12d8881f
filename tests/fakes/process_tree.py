"""A server as an operating system sees one: listens, has children, does as it is told on its standard input.

Started by its path, so that it needs nothing but the standard library. Ends, with its children, when its input ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Any


def main() -> None:
    """Arguments: port, number of children."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), reuse_port=False)
    children = [_child(listener) for _ in range(int(sys.argv[2]))]
    files: list[int] = []
    _say(pid=os.getpid(), port=listener.getsockname()[1], children=[pid for pid, _ in children])
    for line in sys.stdin:
        what, number = line.split()
        if what == "burn":
            _burn(float(number))
        elif what == "burn_child":
            os.write(children[0][1], b"%f\n" % float(number))
            signal.sigtimedwait([signal.SIGUSR1], 30)
        elif what == "open":
            files += [os.open(os.devnull, os.O_RDONLY) for _ in range(int(number))]
        elif what == "thread":
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        elif what == "end_child":
            pid, _ = children.pop(0)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        _say()


def _child(listener: socket.socket) -> tuple[int, int]:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    theirs, ours = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        signal.sigtimedwait([signal.SIGUSR1], 30)  # it has closed what is not its own
        return pid, ours
    os.close(ours)
    os.kill(os.getppid(), signal.SIGUSR1)
    with open(theirs) as orders:  # noqa: PTH123
        for line in orders:
            _burn(float(line))
            os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)


def _burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class ProcessTree:
    """Such a server, started and stopped by a test. Whatever it is told has happened when the call returns."""

    def __init__(self, port: int = 0, children: int = 0) -> None:
        arguments = [sys.executable, "-S", __file__, str(port), str(children)]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = self._answer()
        self.pid: int = told["pid"]
        self.port: int = told["port"]
        self.children: list[int] = told["children"]

    def __enter__(self) -> ProcessTree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def tell(self, what: str, number: float = 0) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{what} {number}\n")
        self._process.stdin.flush()
        self._answer()

    def kill(self, reap: bool = True) -> None:
        """Kills it at once; without `reap` it stays as what waits for its parent. Its children end by themselves."""
        self._process.kill()
        if reap:
            self._process.communicate()
        else:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the server has ended"
        return json.loads(line)


if __name__ == "__main__":
    main()
