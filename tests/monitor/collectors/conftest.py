from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.nvml import VARIABLE, Gpus, build
from tests.fakes.nvml.watch import Watch, load


@pytest.fixture(scope="session")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for NVIDIA's library, compiled."""
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def gpus(nvml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gpus:
    """One GPU that is well."""
    monkeypatch.setenv(VARIABLE, "")  # put back afterwards
    load(nvml, tmp_path / "gpus")
    return Gpus(tmp_path / "gpus")


@pytest.fixture
def watch(gpus: Gpus) -> Iterator[Watch]:
    made = Watch(gpus)
    yield made
    gpus.set(init=0)
    made.collector.close()
