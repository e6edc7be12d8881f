from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from monitor.cli.doctor.clock_offset import Offsets, TimedClient
from monitor.cli.doctor.finding import Finding
from monitor.clock import SystemClock
from monitor.config.load import load
from monitor.settings.root import Config
from tests.fakes.slack import TOKEN, FakeSlack
from tests.monitor.collectors.conftest import gpus, nvml

__all__ = ["gpus", "nvml"]

Configure = Callable[[str], Config]


def shown(findings: Iterable[Finding]) -> list[str]:
    """Each finding as `status: text` of one line."""
    return [f"{item.status.value}: {item.found}" for item in findings]


def only(findings: Iterable[Finding]) -> Finding:
    (found,) = findings
    return found


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """A config as the file says it, read as doctor does."""

    def read(text: str) -> Config:
        file = tmp_path / "watchkeeper.yaml"
        file.write_text(text)
        return load(file, {"SLACK_BOT_TOKEN": TOKEN}, notify=False)

    return read


@pytest.fixture
def offsets() -> Offsets:
    return Offsets(SystemClock())


@pytest.fixture
def client(offsets: Offsets) -> TimedClient:
    return TimedClient(SystemClock(), offsets)


@pytest.fixture
def workspace() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack
