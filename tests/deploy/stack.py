"""Runs the services of deploy/compose as processes: the same commands, environments and files, but other addresses.

What a service mounts is copied to a root of its own, volumes are folders that services share, and every path and
address in commands and files is replaced by where it is here. Seconds are shortened in the files that `hurry` names.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.deploy.compose import SERVICES, environment, mounts
from tests.e2e.process import COMMAND, free_port
from tests.needs import program

PORTS = ("8080", "9797", "9090", "9093")
_ADDRESS = re.compile(rf"\b(?:0\.0\.0\.0|127\.0\.0\.1|watchkeeper|prometheus|alertmanager|model):({'|'.join(PORTS)})\b")
_PYTHON = [sys.executable, "-P", "-m"]


class Stack:
    def __init__(self, folder: Path, hurry: Mapping[str, Mapping[str, str]], more: Mapping[str, list[str]]) -> None:
        """`hurry`: texts to replace in the files of that name; `more`: a service's further arguments."""
        self.folder, self._hurry, self._more = folder, hurry, more
        self.ports = {port: str(free_port()) for port in PORTS}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def run(self, service: str, seconds: float = 60.0) -> None:
        """A service that ends: runs it to its end, which has to be a good one."""
        self.start(service)
        status = self._running.pop(service).wait(seconds)
        assert status == 0, f"{service} ended with {status}:\n{self.log(service)}"

    def start(self, service: str) -> None:
        places = self._mounted(service)
        command = [self._placed(argument, places) for argument in SERVICES[service]["command"]]
        own = {**os.environ, **environment(service), "TMPDIR": str(self.folder)}
        (self.folder / service).mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{service}.log").open("ab") as log:
            self._running[service] = subprocess.Popen(
                [*_entry(service), *command, *self._more.get(service, ())],
                cwd=self.folder / service, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def stop(self, service: str) -> int:
        process = self._running.pop(service)
        process.terminate()
        return process.wait(30)

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(errors="replace")[-4000:]

    def _mounted(self, service: str) -> dict[str, str]:
        """Copies what is mounted and returns where each target is here."""
        found = mounts(service)
        places = {mount.target: str(self.folder / "volumes" / str(mount.source)) for mount in found}
        for mount in found:
            if isinstance(mount.source, Path):
                places[mount.target] = str(self.folder / service / mount.target.lstrip("/"))
            else:
                Path(places[mount.target]).mkdir(parents=True, exist_ok=True)
        for mount in found:
            if isinstance(mount.source, Path):
                copy = Path(places[mount.target])
                copy.parent.mkdir(parents=True, exist_ok=True)
                text = self._placed(mount.source.read_text(encoding="utf-8"), places)
                for before, after in self._hurry.get(copy.name, {}).items():
                    assert before in text, f"{copy.name} has no {before!r}"
                    text = text.replace(before, after)
                copy.write_text(text, encoding="utf-8")
        return places

    def _placed(self, text: str, places: Mapping[str, str]) -> str:
        text = _ADDRESS.sub(lambda address: f"127.0.0.1:{self.ports[address[1]]}", text)
        if text in self.ports:
            return self.ports[text]
        if text == "0.0.0.0":
            return "127.0.0.1"
        for target, place in places.items():
            text = re.sub(rf"(?<![\w.]){re.escape(target)}(?![\w.-])", place, text)
        return text

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in list(self._running):
            self.stop(service)
            if error is not None:
                print(f"--- {service}\n{self.log(service)}")


def _entry(service: str) -> list[str]:
    """What the service's image starts, as it is here."""
    if service == "watchkeeper":
        return [str(COMMAND)]
    if service in ("prometheus", "alertmanager"):
        name = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}[service]
        return [program(name, name)]
    return _PYTHON
