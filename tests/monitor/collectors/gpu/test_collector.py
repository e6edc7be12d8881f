"""GPUs through pynvml and the compiled stand-in for NVIDIA's library (tests/fakes/nvml). There is no GPU here: what a
real driver does beyond what it documents is not covered."""

from __future__ import annotations

import logging

import pytest

from checks.base import NotEnough
from monitor.collectors.gpu.process_memory import GpuProcessCollector
from tests.fakes.nvml import GIB, Gpus
from tests.fakes.nvml.watch import Watch


def test_every_value_in_base_units(watch: Watch) -> None:
    assert watch.sample() == {
        "gpu_up": 1.0,
        "gpu_utilization_ratio": 0.37,
        "gpu_memory_used_bytes": 4 * GIB,
        "gpu_memory_limit_bytes": 16 * GIB,
        "gpu_memory_utilization_ratio": 0.25,
        "gpu_temperature_celsius": 61.0,
        "gpu_temperature_headroom_celsius": 29.0,
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
        "gpu_pcie_throughput_bytes_per_second transmit": 102_400.0,
        "gpu_pcie_throughput_bytes_per_second receive": 204_800.0,
    }


@pytest.mark.parametrize(
    ("bits", "reasons"),
    [
        (0x001, []),
        (0x102, []),
        (0x048, ["hw_slowdown", "hw_thermal_slowdown"]),
        (0x080, ["hw_slowdown", "hw_power_brake"]),
        (0x034, ["sw_power_cap", "sync_boost", "sw_thermal_slowdown"]),
    ],
)
def test_a_throttled_gpu_says_why(watch: Watch, bits: int, reasons: list[str]) -> None:
    """Idling, and clocks that someone set, hold nothing down."""
    watch.gpus.set(_0__reasons=bits)
    held = {name: value for name, value in watch.sample().items() if name.startswith("gpu_throttled")}
    assert len(held) == 6
    assert [name.split()[1] for name, value in held.items() if value] == reasons


@pytest.mark.parametrize(
    ("function", "code", "error", "metric"),
    [
        ("nvmlDeviceGetUtilizationRates", 3, "not_supported", "gpu_utilization_ratio"),
        ("nvmlDeviceGetPowerUsage", 4, "no_permission", "gpu_power_watts"),
        ("nvmlDeviceGetTotalEnergyConsumption", 13, "function_not_found", "gpu_energy_joules_total"),
        ("nvmlDeviceGetMemoryInfo", 20, "other", "gpu_memory_used_bytes"),
        ("nvmlDeviceGetTemperature", 999, "unknown", "gpu_temperature_celsius"),
        ("nvmlDeviceGetPcieThroughput", 10, None, "gpu_pcie_throughput_bytes_per_second transmit"),
    ],
)
def test_a_question_that_fails_leaves_its_series_out_and_is_counted(
    watch: Watch, function: str, code: int, error: str | None, metric: str
) -> None:
    whole = watch.sample()
    watch.gpus.put({f"error.{function}": code})
    seen = watch.sample()
    assert metric not in seen
    counted = {name for name in seen if name.startswith("gpu_query_failures_total")}
    assert counted == ({f"gpu_query_failures_total {error}"} if error else set())
    gone = {name for name in whole if name not in seen}
    assert all(name.split()[0].split("_")[1] == metric.split("_")[1] for name in gone), gone
    assert seen["gpu_up"] == 1.0
    watch.gpus.put({f"error.{function}": None})
    assert watch.sample(601.0)[metric] == whole[metric], "it is asked again"


def test_what_a_gpu_cannot_answer_is_not_asked_at_every_sample(watch: Watch) -> None:
    watch.gpus.put({"error.nvmlDeviceGetPowerUsage": 3})
    assert [watch.sample()["gpu_query_failures_total not_supported"] for _ in range(4)] == [1.0] * 4
    assert watch.sample(601.0)["gpu_query_failures_total not_supported"] == 2.0


def test_a_clock_that_a_gpu_does_not_have_leaves_the_others(watch: Watch) -> None:
    watch.gpus.put({"0.clock3": None, "0.ecc1": None})
    seen = watch.sample()
    assert "gpu_clock_hertz video" not in seen
    assert seen["gpu_clock_hertz graphics"] == 1.4e9
    assert "gpu_ecc_errors_total uncorrected" not in seen
    assert seen["gpu_ecc_errors_total corrected"] == 3.0


def test_newer_gpus_tell_the_degrees_that_are_left(watch: Watch) -> None:
    watch.gpus.set(_0__margin=-2, _0__slowdown=None)
    assert watch.sample()["gpu_temperature_headroom_celsius"] == -2.0


def test_older_drivers_have_older_names(watch: Watch) -> None:
    watch.gpus.put({f"error.nvmlDeviceGet{name}": 13 for name in ("CurrentClocksEventReasons", "MigMode")})
    watch.gpus.put({"error.nvmlDeviceGetComputeRunningProcesses_v3": 13, "0.processes": "17:1000"})
    seen = watch.sample()
    assert seen["gpu_throttled hw_slowdown"] == 0.0
    assert not [name for name in seen if "failures" in name]
    (row,) = GpuProcessCollector(watch.collector, lambda: {17}, "delays").collect(0.0, watch.now)
    assert row.value == 1000.0


@pytest.mark.parametrize(
    ("values", "absent"),
    [
        ({"0.power": 2**32 - 1, "0.energy": 2**64 - 1}, {"gpu_power_watts", "gpu_energy_joules_total"}),
        ({"0.utilization": 2**32 - 1}, {"gpu_utilization_ratio"}),
        ({"0.utilization": 255}, {"gpu_utilization_ratio"}),
        ({"0.temperature": 2**32 - 1}, {"gpu_temperature_celsius", "gpu_temperature_headroom_celsius"}),
        ({"0.slowdown": 0}, {"gpu_temperature_headroom_celsius"}),
        ({"0.margin": 2**31 - 1}, {"gpu_temperature_headroom_celsius"}),
        ({"0.clock1": 2**32 - 1}, {"gpu_clock_hertz sm"}),
        ({"0.memory_used": 17 * GIB}, {f"gpu_memory_{name}" for name in ("used_bytes", "limit_bytes")}),
        ({"0.memory_total": 2**64 - 1}, {f"gpu_memory_{name}" for name in ("used_bytes", "utilization_ratio")}),
        ({"0.reasons": 2**64 - 1}, {"gpu_throttled hw_slowdown"}),
        ({"count": 2**32 - 1}, set()),
    ],
)
def test_a_value_that_can_not_be_is_absent(watch: Watch, values: dict[str, object], absent: set[str]) -> None:
    whole = watch.sample()
    watch.gpus.put(values)
    seen = watch.sample(601.0)  # what it could not answer before is asked again
    assert absent <= set(whole)
    assert absent.isdisjoint(seen)
    assert seen["gpu_up"] == 1.0


@pytest.mark.parametrize("reset", [False, True])
def test_a_lost_gpu_has_no_values_and_comes_back_by_itself(
    watch: Watch, reset: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    whole = watch.sample()
    watch.gpus.put({"error.nvmlDeviceGetUtilizationRates": 16} if reset else {"0.lost": 1})
    error = "gpu_query_failures_total " + ("reset_required" if reset else "gpu_is_lost")
    counts = []
    for _ in range(12):
        seen = watch.sample()
        counts.append(seen.pop(error))
        assert {name: value for name, value in seen.items() if "failures" not in name} == {"gpu_up": 0.0}
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert caplog.text.count("does not answer") == 1
    assert caplog.text.count("watched") == 1
    watch.gpus.put({"error.nvmlDeviceGetUtilizationRates": None, "0.lost": None})
    again = watch.sample(61.0)
    assert {name: again[name] for name in whole} == whole
    assert caplog.text.count("answers again") == 1


def test_the_series_of_a_lost_gpu_are_hidden_with_a_reason(watch: Watch) -> None:
    whole = watch.sample()
    watch.gpus.put({"0.lost": 1})
    rows = {row.name: row for row in watch.rows()}
    assert {name.split()[0] for name in whole} <= set(rows)
    assert rows["gpu_power_watts"].reason is NotEnough.NOT_FOUND


def test_a_gpu_that_answers_no_question_is_as_good_as_lost(watch: Watch) -> None:
    whole = watch.sample()
    watch.gpus.put(_all_of_them(999))
    assert watch.sample()["gpu_up"] == 0.0
    watch.gpus.put(_all_of_them(None))
    again = watch.sample(61.0)
    assert {name: again[name] for name in whole} == whole


def test_of_a_gpu_that_may_not_be_asked_nothing_is_said(watch: Watch) -> None:
    watch.gpus.put(_all_of_them(4))
    seen = watch.sample()
    assert {name for name in seen if "failures" not in name} == set()
    assert seen["gpu_query_failures_total no_permission"] > 1


def _all_of_them(code: int | None) -> dict[str, object]:
    asked = "UtilizationRates MemoryInfo Temperature TemperatureThreshold MarginTemperature PowerUsage ClockInfo"
    asked += " EnforcedPowerLimit TotalEnergyConsumption TotalEccErrors PcieThroughput MigMode"
    asked += " CurrentClocksEventReasons CurrentClocksThrottleReasons"
    return {f"error.nvmlDeviceGet{name}": code for name in asked.split()}


def test_a_gpu_that_is_lost_from_the_start_is_told_and_found_later(watch: Watch) -> None:
    watch.gpus.put({"0.lost": 1})
    seen = watch.sample()
    assert (seen["gpu_up 0"], seen["gpu_query_failures_total gpu_is_lost"]) == (0.0, 1.0)
    watch.gpus.put({"0.lost": None})
    seen = watch.sample(61.0)
    assert "gpu_up 0" not in seen
    assert seen["gpu_up"] == 1.0


def test_one_lost_gpu_leaves_the_others_alone(watch: Watch) -> None:
    Gpus(watch.gpus.path, count=2)
    watch.gpus = Gpus(watch.gpus.path, count=2)
    watch.sample()
    watch.gpus.put({"0.lost": 1})
    for _ in range(10):
        seen = watch.sample()
        assert (seen["gpu_up"], seen["gpu_up 1 GPU-1"]) == (0.0, 1.0)
        assert seen["gpu_utilization_ratio 1 GPU-1"] == 0.37
        assert "gpu_utilization_ratio" not in seen


def test_a_gpu_whose_number_changes_as_another_is_gone_is_not_lost(watch: Watch) -> None:
    watch.gpus = Gpus(watch.gpus.path, count=2)
    watch.sample()
    watch.gpus.put({"0.lost": 1})
    watch.sample()
    watch.gpus.put({"0.lost": None, "count": 1, "0.uuid": "GPU-1"})
    seen = watch.sample(61.0)
    assert {name: value for name, value in seen.items() if name.startswith("gpu_up")} == {
        "gpu_up": 0.0,
        "gpu_up 0 GPU-1": 1.0,
    }
    assert seen["gpu_power_watts 0 GPU-1"] == 150.25


def test_xid_errors_are_counted_by_code(watch: Watch) -> None:
    assert not [name for name in watch.sample() if "xid" in name]
    watch.gpus.set(xids="0:79")
    assert watch.sample()["gpu_xid_errors_recent 79"] == 1.0
    watch.gpus.set(xids="0:79,0:31,0:79,0:100000")
    seen = watch.sample()
    assert (seen["gpu_xid_errors_total 79"], seen["gpu_xid_errors_total 31"]) == (2.0, 1.0)
    assert seen["gpu_xid_errors_total other"] == 1.0
    later = watch.sample(900.0)
    assert "gpu_query_failures_total timeout" not in later, "that nothing has happened is no failure"
    assert (later["gpu_xid_errors_total 79"], later["gpu_xid_errors_recent 79"]) == (2.0, 0.0)


def test_the_xid_error_of_a_gpu_that_is_lost_with_it_is_heard(watch: Watch) -> None:
    watch.sample()
    watch.gpus.set(xids="0:79", _0__lost=1)
    for _ in range(8):
        seen = watch.sample()
        assert (seen["gpu_up"], seen["gpu_xid_errors_total 79"], seen["gpu_xid_errors_recent 79"]) == (0.0, 1.0, 1.0)


def test_xid_errors_are_those_of_their_gpu(watch: Watch) -> None:
    watch.gpus = Gpus(watch.gpus.path, count=2)
    watch.sample()
    watch.gpus.set(xids="1:31,0:13,1:31", _0__lost=1)
    seen = watch.sample()
    assert (seen["gpu_xid_errors_total 13"], seen["gpu_xid_errors_total 1 GPU-1 31"]) == (1.0, 2.0)


def test_without_leave_for_events_all_else_is_measured(watch: Watch) -> None:
    watch.gpus.put({"error.nvmlDeviceRegisterEvents": 4})
    seen = watch.sample()
    assert (seen["gpu_utilization_ratio"], seen["gpu_query_failures_total no_permission"]) == (0.37, 1.0)


def _split(watch: Watch, *parts: int, used: int = 2) -> None:
    watch.gpus.put({"0.mig": 1, "0.error.nvmlDeviceGetUtilizationRates": 3})
    for part in range(7):
        size = (8, used) if part in parts else (None, None)
        watch.gpus.put(dict(zip((f"0:{part}.memory_total", f"0:{part}.memory_used"), size, strict=True)))


def test_instances_have_memory_and_no_utilization(watch: Watch) -> None:
    _split(watch, 0, 3)
    seen = watch.sample()
    assert seen["gpu_memory_utilization_ratio 0:0 MIG-0-0"] == 0.25
    assert seen["gpu_memory_used_bytes 0:3 MIG-0-3"] == 2.0
    assert seen["gpu_power_watts"] == 150.25, "that is the whole GPU's"
    assert not [name for name in seen if name.startswith(("gpu_utilization_ratio", "gpu_up "))]
    assert "gpu_query_failures_total not_supported" not in seen, "it is not asked"


def test_instances_come_and_go(watch: Watch) -> None:
    _split(watch, 0, 3)
    watch.sample()
    _split(watch, 1)
    seen = watch.sample()
    assert {name for name in seen if "MIG" in name and "used" in name} == {"gpu_memory_used_bytes 0:1 MIG-0-1"}
    assert seen["gpu_up"] == 1.0


def test_instances_are_lost_with_their_gpu(watch: Watch) -> None:
    _split(watch, 0)
    watch.sample()
    watch.gpus.put({"0.error.nvmlDeviceGetMaxMigDeviceCount": 15})  # in the middle of a sample
    seen = watch.sample()
    assert seen["gpu_up"] == 0.0
    assert not [name for name in seen if "memory" in name]


def test_what_processes_hold_of_an_instance_is_not_told_twice(watch: Watch) -> None:
    _split(watch, 2)
    watch.gpus.put({"0.processes": "17:5", "0:2.processes": "17:5"})
    watch.sample()
    (row,) = GpuProcessCollector(watch.collector, lambda: {17}, "delays").collect(0.0, watch.now)
    assert (dict(row.labels), row.value) == ({"gpu": "0:2", "uuid": "MIG-0-2"}, 5.0)


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


@pytest.mark.parametrize("processes", ["17:18446744073709551615", "", "4:100"])
def test_memory_that_is_not_known_is_absent(watch: Watch, processes: str) -> None:
    watch.gpus.put({"0.processes": processes})
    watch.sample()
    assert GpuProcessCollector(watch.collector, lambda: {17}, "delays").collect(0.0, watch.now) == []


def test_memory_of_processes_is_hidden_with_the_gpu(watch: Watch) -> None:
    watch.gpus.put({"0.processes": "17:5"})
    server = GpuProcessCollector(watch.collector, lambda: {17}, "delays")
    assert server.collect(0.0, watch.now) == [], "the driver is not open yet"
    watch.sample()
    assert [row.value for row in server.collect(0.0, watch.now)] == [5.0]
    watch.gpus.put({"0.lost": 1})
    assert [row.value for row in server.collect(0.0, watch.now)] == [None]
    watch.gpus.put({"0.lost": None, "generation": 2})
    assert [row.value for row in server.collect(0.0, watch.now)] == [None]
    watch.sample()
    assert [row.value for row in server.collect(0.0, watch.now)] == [5.0]
