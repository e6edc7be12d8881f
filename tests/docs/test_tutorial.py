"""The tutorial as it stands in the docs, run from its first command to its last. Only ports are others, and
Watchkeeper looks for new windows every second."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import free_port, wait_for

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
LIST = "watchkeeper alerts list"
STAYS = {"uvicorn": ("8080", "/metrics"), "watchkeeper run": ("9797", "/readyz")}
"""Commands that stay: their port on the page, and what answers once they are up."""


class Reader:
    """Somebody who follows the page in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, {port: str(free_port()) for port, _ in STAYS.values()}
        self.environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        self.staying: list[subprocess.Popen[bytes]] = []
        self.outputs: dict[str, str] = {}

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(self._moved(text))

    def run(self, command: str) -> None:
        stays = next((known for known in STAYS if command.startswith(known)), None)
        if stays:
            self._start(command, *STAYS[stays])
            return
        done = subprocess.run(
            self._moved(command), shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        self.outputs[command] = done.stdout
        if command.startswith("watchkeeper init"):
            with (self.folder / "watchkeeper.yaml").open("a") as config:
                config.write(f"\nlisten: 127.0.0.1:{self.ports['9797']}\nevaluate: 1s\n")

    def measured(self) -> bool:
        """Whether there are measurements of a window, without which no alert can be."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['9797']}/metrics", timeout=30) as answer:
            return b"watchkeeper_feature_drift{" in answer.read()

    def stop(self) -> None:
        for process in self.staying:
            process.terminate()
        for process in self.staying:
            process.wait(30)

    def _start(self, command: str, port: str, path: str) -> None:
        log = (self.folder / f"{port}.log").open("wb")
        arguments = self._moved(command).split()
        self.staying.append(
            subprocess.Popen(arguments, cwd=self.folder, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        )
        wait_for(lambda: _answers(f"http://127.0.0.1:{self.ports[port]}{path}"), f"{command} answers", 60)

    def _moved(self, text: str) -> str:
        for port, other in self.ports.items():
            text = text.replace(port, other)
        return text


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    one = Reader(tmp_path)
    yield one
    one.stop()


@pytest.mark.release
@pytest.mark.timeout(300)  # for a machine with other things to do; it takes some 15 s
def test_the_tutorial_ends_with_the_alerts_that_it_shows(reader: Reader) -> None:
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    shown = [text for kind, _, text in blocks if kind == "text"]
    for kind, name, text in blocks:
        if kind == "python":
            reader.write(name, text)
        elif kind == "bash":
            for command in text.splitlines():
                if command == LIST and command in reader.outputs:
                    assert _alerts(reader.outputs[command]) == set(), "none before the unit changes"
                    wait_for(lambda: _listed(reader) == _alerts(shown[1]), "the alerts of the page", 60)
                else:
                    reader.run(command)
                    if command.startswith("python traffic.py"):
                        wait_for(reader.measured, "its windows are measured", 60)

    understood = reader.outputs["watchkeeper check-config"]
    for line in shown[0].splitlines()[3:]:
        assert line in understood
    explained = reader.outputs["watchkeeper alerts explain --rule feature-drift feature=size"]
    assert explained.split()[:3] == shown[3].split()[:3]


def _listed(reader: Reader) -> set[tuple[str, ...]]:
    reader.run(LIST)
    return _alerts(reader.outputs[LIST])


def _alerts(listing: str) -> set[tuple[str, ...]]:
    """State, model, rule and the labels' first pair of the alerts of the model."""
    words = (line.split() for line in listing.splitlines())
    return {tuple(line[:4]) for line in words if line[1:2] == ["houses"]}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30):
            return True
    except (urllib.error.URLError, OSError):
        return False
