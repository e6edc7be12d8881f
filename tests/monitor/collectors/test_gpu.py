"""GPUs through pynvml and the compiled stand-in for NVIDIA's library (tests/fakes/nvml): there is no GPU here."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.catalog import CATALOG
from monitor.collectors.gpu import GpuCollector, GpuProcessCollector
from tests.fakes.nvml import GIB, VARIABLE, Gpus, build

Series = dict[str, float]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml"))


class Watch:
    """A collector on the stand-in, sampled every 15 seconds."""

    def __init__(self, gpus: Gpus) -> None:
        self.gpus, self.collector, self.now = gpus, GpuCollector(), 0.0

    def sample(self, seconds: float = 15.0) -> Series:
        """Values by metric and labels, without those of the only GPU."""
        self.now += seconds
        rows = self.collector.collect(1e9 + self.now, self.now)
        for row in rows:
            assert {name for name, _ in row.labels} == set(CATALOG[row.name].labels), row
            assert row.name in self.collector.metrics
        return {_shown(row.name, dict(row.labels)): row.value for row in rows if row.value is not None}


def _shown(name: str, labels: dict[str, str]) -> str:
    if labels.get("uuid") == "GPU-0":
        del labels["uuid"], labels["gpu"]
    return name + "".join(f" {value}" for value in labels.values())


@pytest.fixture
def watch(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    # A library of this name that is loaded already is what CDLL then finds.
    ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gpus"))
    made = Watch(Gpus(tmp_path / "gpus"))
    yield made
    made.gpus.set(init=0)
    made.collector.close()


def test_every_value_in_base_units(watch: Watch) -> None:
    assert watch.sample() == {
        "gpu_up": 1.0,
        "gpu_utilization_ratio": 0.37,
        "gpu_memory_used_bytes": 4 * GIB,
        "gpu_memory_limit_bytes": 16 * GIB,
        "gpu_memory_utilization_ratio": 0.25,
        "gpu_temperature_celsius": 61.0,
        "gpu_temperature_left_celsius": 29.0,
        "gpu_power_watts": 150.25,
        "gpu_power_limit_watts": 300.0,
        "gpu_energy_joules_total": 5000.0,
        "gpu_clock_hertz graphics": 1.4e9,
        "gpu_clock_hertz sm": 1.41e9,
        "gpu_clock_hertz memory": 5e9,
        "gpu_clock_hertz video": 1.2e9,
        "gpu_throttled sw_power_cap": 0.0,
        "gpu_throttled hw_slowdown": 0.0,
        "gpu_throttled sync_boost": 0.0,
        "gpu_throttled sw_thermal_slowdown": 0.0,
        "gpu_throttled hw_thermal_slowdown": 0.0,
        "gpu_throttled hw_power_brake": 0.0,
        "gpu_ecc_errors_total corrected": 3.0,
        "gpu_ecc_errors_total uncorrected": 0.0,
        "gpu_pcie_throughput_bytes transmit": 102_400.0,
        "gpu_pcie_throughput_bytes receive": 204_800.0,
    }


def test_a_throttled_gpu_says_why(watch: Watch) -> None:
    watch.gpus.set(_0__reasons=0x48)
    seen = watch.sample()
    assert [name for name, value in seen.items() if name.startswith("gpu_throttled") and value] == [
        "gpu_throttled hw_slowdown",
        "gpu_throttled hw_thermal_slowdown",
    ]


@pytest.mark.parametrize(
    ("function", "code", "error", "metric"),
    [
        ("nvmlDeviceGetUtilizationRates", 3, "not_supported", "gpu_utilization_ratio"),
        ("nvmlDeviceGetPowerUsage", 4, "no_permission", "gpu_power_watts"),
        ("nvmlDeviceGetTotalEnergyConsumption", 13, "function_not_found", "gpu_energy_joules_total"),
        ("nvmlDeviceGetMemoryInfo", 20, "other", "gpu_memory_used_bytes"),
        ("nvmlDeviceGetTotalEccErrors", 3, "not_supported", "gpu_ecc_errors_total corrected"),
    ],
)
def test_a_question_that_fails_leaves_its_series_out_and_is_counted(
    watch: Watch, function: str, code: int, error: str, metric: str
) -> None:
    whole = watch.sample()
    watch.gpus.put({f"error.{function}": code})
    seen = watch.sample()
    assert metric not in seen
    assert seen[f"gpu_query_failures_total {error}"] == 1.0
    gone = {name for name in whole if name not in seen}
    assert all(name.split()[0].split("_")[1] == metric.split("_")[1] for name in gone), gone
    assert seen["gpu_up"] == 1.0
    watch.gpus.put({f"error.{function}": None})
    assert watch.sample(601.0)[metric] == whole[metric], "it is asked again"


def test_what_a_gpu_cannot_answer_is_not_asked_at_every_sample(watch: Watch) -> None:
    watch.gpus.put({"error.nvmlDeviceGetPowerUsage": 3})
    assert [watch.sample()["gpu_query_failures_total not_supported"] for _ in range(4)] == [1.0] * 4
    assert watch.sample(601.0)["gpu_query_failures_total not_supported"] == 2.0


def test_a_value_that_is_not_available_is_absent(watch: Watch) -> None:
    watch.gpus.put({"0.power": 2**32 - 1, "0.energy": 2**64 - 1})
    seen = watch.sample()
    assert {"gpu_power_watts", "gpu_energy_joules_total"}.isdisjoint(seen)


@pytest.mark.parametrize("reset", [False, True])
def test_a_lost_gpu_has_no_values_and_comes_back_by_itself(
    watch: Watch, reset: bool, caplog: pytest.LogCaptureFixture
) -> None:
    whole = watch.sample()
    watch.gpus.put({"error.nvmlDeviceGetUtilizationRates": 16} if reset else {"0.lost": 1})
    seen = watch.sample()
    error = "gpu_query_failures_total " + ("reset_required" if reset else "gpu_is_lost")
    assert seen == {"gpu_up": 0.0, error: 1.0}
    assert "does not answer any more" in caplog.text
    watch.gpus.put({"error.nvmlDeviceGetUtilizationRates": None, "0.lost": None})
    again = watch.sample(61.0)
    assert {name: again[name] for name in whole} == whole


def test_a_gpu_that_is_lost_when_the_driver_is_opened_anew_is_still_known(watch: Watch) -> None:
    watch.sample()
    watch.gpus.put({"0.lost": 1})
    for _ in range(10):
        assert watch.sample(30.0)["gpu_up"] == 0.0
    watch.gpus.put({"0.lost": None})
    assert watch.sample(61.0)["gpu_up"] == 1.0


def test_one_lost_gpu_leaves_the_others_alone(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gpus"))
    watch = Watch(Gpus(tmp_path / "gpus", count=2))
    try:
        watch.sample()
        watch.gpus.put({"0.lost": 1})
        seen = watch.sample()
        assert (seen["gpu_up"], seen["gpu_up 1 GPU-1"]) == (0.0, 1.0)
        assert seen["gpu_utilization_ratio 1 GPU-1"] == 0.37
        assert "gpu_utilization_ratio" not in seen
    finally:
        watch.collector.close()


def test_a_restarted_driver_is_opened_anew(watch: Watch) -> None:
    whole = watch.sample()
    watch.gpus.set(generation=2, init=9)
    seen = watch.sample()
    assert seen["gpu_up"] == 0.0
    assert not {"gpu_utilization_ratio", "gpu_energy_joules_total"} & set(seen)
    assert seen["gpu_query_failures_total uninitialized"] == 1.0
    for _ in range(3):
        assert watch.sample()["gpu_up"] == 0.0
    watch.gpus.set(init=0)
    again = watch.sample(61.0)
    assert {name: again[name] for name in whole} == whole
    assert watch.sample()["gpu_up"] == 1.0


@pytest.mark.parametrize(
    ("code", "said"), [(9, "driver_not_loaded"), (18, "version_mismatch"), (4, "no_permission"), (999, "unknown")]
)
def test_a_driver_that_does_not_open_gives_nothing_and_one_line(
    watch: Watch, code: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watch.gpus.set(init=code)
    for _ in range(20):
        seen = watch.sample()
    assert set(seen) == {f"gpu_query_failures_total {said}"}
    assert sum("no GPUs are watched" in record.message for record in caplog.records) == 1
    assert said in caplog.text
    watch.gpus.set(init=0)
    assert watch.sample(61.0)["gpu_up"] == 1.0, "it was loaded later"


def test_unknown_errors_in_the_middle_open_it_anew(watch: Watch) -> None:
    watch.sample()
    watch.gpus.put({"0.error.nvmlDeviceGetTemperature": 999})
    seen = watch.sample()
    assert (seen["gpu_up"], seen["gpu_query_failures_total unknown"]) == (0.0, 1.0)
    watch.gpus.put({"0.error.nvmlDeviceGetTemperature": None})
    assert watch.sample()["gpu_up"] == 1.0


def test_xid_errors_are_counted_by_code(watch: Watch) -> None:
    assert not [name for name in watch.sample() if "xid" in name]
    watch.gpus.set(xids="0:79")
    assert watch.sample()["gpu_xid_errors_recent 79"] == 1.0
    watch.gpus.set(xids="0:79,0:31,0:79,0:100000")
    seen = watch.sample()
    assert (seen["gpu_xid_errors_total 79"], seen["gpu_xid_errors_total 31"]) == (2.0, 1.0)
    assert seen["gpu_xid_errors_total other"] == 1.0
    later = watch.sample(900.0)
    assert (later["gpu_xid_errors_total 79"], later["gpu_xid_errors_recent 79"]) == (2.0, 0.0)


def test_without_leave_for_events_all_else_is_measured(watch: Watch) -> None:
    watch.gpus.put({"error.nvmlDeviceRegisterEvents": 4})
    seen = watch.sample()
    assert (seen["gpu_utilization_ratio"], seen["gpu_query_failures_total no_permission"]) == (0.37, 1.0)


def test_instances_have_memory_and_no_utilization(watch: Watch) -> None:
    watch.gpus.put({"0.mig": 1, "0.error.nvmlDeviceGetUtilizationRates": 3})
    watch.gpus.put({f"0:{part}.memory_{key}": size for part in (0, 3) for key, size in (("total", 8), ("used", 2))})
    seen = watch.sample()
    assert seen["gpu_memory_utilization_ratio 0:0 MIG-0-0"] == 0.25
    assert seen["gpu_memory_used_bytes 0:3 MIG-0-3"] == 2.0
    assert not [name for name in seen if name.startswith("gpu_utilization_ratio")]
    assert not [name for name in seen if name.startswith("gpu_up ")]


def test_memory_of_the_servers_processes(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch.sample()
    pids = {17}
    server = GpuProcessCollector(watch.collector, lambda: pids, "delays")
    assert server.collect(0.0, watch.now) == []
    watch.gpus.put({"0.processes": "17:1000,18:500,17:24"})
    (row,) = server.collect(0.0, watch.now)
    assert (row.name, row.value) == ("gpu_process_memory_bytes", 1024.0)
    pids = {4}
    (row,) = server.collect(0.0, watch.now)
    assert row.value is None, "it does not freeze"
    assert caplog.text.count("hostPID") == 1


def test_without_the_library_there_is_nothing_but_one_line(tmp_path: Path) -> None:
    script = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
from monitor.collectors.gpu import GpuCollector
made = GpuCollector()
for second in range(0, 300, 15):
    assert made.collect(second, second) == []
assert "pynvml" not in sys.modules
"""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    (line,) = ran.stdout.splitlines()
    assert "there is no libnvidia-ml.so.1" in line
