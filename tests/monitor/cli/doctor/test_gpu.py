from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli.doctor import gpu
from monitor.cli.doctor.finding import Finding
from monitor.clock import SystemClock
from monitor.collectors.gpu import driver
from monitor.settings.server import CollectSettings
from tests.fakes.nvml import Gpus
from tests.monitor.cli.doctor.conftest import only


def look(devices: Path) -> list[Finding]:
    return list(gpu.gpu(CollectSettings(), SystemClock(), devices))


def test_a_gpu_that_is_well(gpus: Gpus, tmp_path: Path) -> None:
    found = only(look(tmp_path))
    assert found.status.value == "ok"
    assert found.found.startswith("GPU 0 (GPU-0), driver 550.54, 16 GiB, ")


def test_off_and_without_a_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = only(gpu.gpu(CollectSettings(gpu=False), SystemClock()))
    assert found.status.value == "off"
    monkeypatch.setattr(driver, "LIBRARY", "libnothing-of-that-name.so.1")
    found = only(look(tmp_path))
    assert (found.status.value, "nvidia.com/gpu" in found.todo) == ("missing", True)


@pytest.mark.parametrize(
    ("code", "node", "status", "said"),
    [
        (9, False, "missing", "says driver_not_loaded; no "),
        (9, True, "problem", "says driver_not_loaded; nvidia0"),
        (18, True, "problem", "says version_mismatch"),
        (4, True, "problem", "says no_permission"),
    ],
)
def test_a_driver_that_does_not_open(gpus: Gpus, tmp_path: Path, code: int, node: bool, status: str, said: str) -> None:
    gpus.set(init=code)
    if node:
        (tmp_path / "nvidia0").touch()
    found = only(look(tmp_path))
    assert (found.status.value, said in found.found) == (status, True), found
    assert found.todo


def test_no_device_and_a_lost_one(gpus: Gpus, tmp_path: Path) -> None:
    gpus.put({"count": 0})
    assert "shows no GPU" in only(look(tmp_path)).found
    gpus.put({"count": 1, "0.lost": 1})
    found = look(tmp_path)
    assert [item.status.value for item in found] == ["problem"], found


def test_questions_without_an_answer_are_named(gpus: Gpus, tmp_path: Path) -> None:
    gpus.put({"0.error.nvmlDeviceGetPowerUsage": 4})
    found = only(look(tmp_path))
    assert (found.status.value, "no_permission" in found.found) == ("missing", True)


def test_a_driver_that_hangs_holds_up_nobody(gpus: Gpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "SECONDS", 0.2)
    gpus.put({"hang.nvmlDeviceGetCount_v2": 1})
    try:
        found = only(look(tmp_path))
    finally:
        gpus.put({"hang.nvmlDeviceGetCount_v2": None})
    assert (found.status.value, found.found) == ("problem", "the driver has not answered within 0.2 s")
