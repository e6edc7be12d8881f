"""What is asked of one GPU, and what its answers mean in base units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from monitor.collectors.gpu_driver import Driver

Value = tuple[str, dict[str, str], float]
"""Metric, labels beside the GPU's own, value."""
Question = Callable[[Driver, Any], Iterator[Value]]

CLOCKS = {"graphics": 0, "sm": 1, "memory": 2, "video": 3}
REASONS = {
    "sw_power_cap": 0x04,
    "hw_slowdown": 0x08,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake": 0x80,
}
"""Why clocks are held down against the GPU's will. That it is idle, or that someone set its clocks, is none of them."""
_ECC = {"corrected": 0, "uncorrected": 1}
_DIRECTIONS = {"transmit": 0, "receive": 1}
_VOLATILE = 0
_SLOWDOWN = 1
_NOT_AVAILABLE = ((1 << 32) - 1, (1 << 64) - 1)


def utilization(driver: Driver, gpu: Any) -> Iterator[Value]:
    yield from _one("gpu_utilization_ratio", driver.ask("nvmlDeviceGetUtilizationRates", gpu).gpu, 0.01)


def memory(driver: Driver, gpu: Any) -> Iterator[Value]:
    found = driver.ask("nvmlDeviceGetMemoryInfo", gpu)
    if found.total and found.total not in _NOT_AVAILABLE:
        yield "gpu_memory_used_bytes", {}, float(found.used)
        yield "gpu_memory_limit_bytes", {}, float(found.total)
        yield "gpu_memory_utilization_ratio", {}, found.used / found.total


def temperature(driver: Driver, gpu: Any) -> Iterator[Value]:
    yield from _one("gpu_temperature_celsius", driver.ask("nvmlDeviceGetTemperature", gpu, 0))


def temperature_left(driver: Driver, gpu: Any) -> Iterator[Value]:
    limit = driver.ask("nvmlDeviceGetTemperatureThreshold", gpu, _SLOWDOWN)
    now = driver.ask("nvmlDeviceGetTemperature", gpu, 0)
    if limit and {limit, now}.isdisjoint(_NOT_AVAILABLE):
        yield "gpu_temperature_left_celsius", {}, float(limit - now)


def power(driver: Driver, gpu: Any) -> Iterator[Value]:
    yield from _one("gpu_power_watts", driver.ask("nvmlDeviceGetPowerUsage", gpu), 0.001)


def power_limit(driver: Driver, gpu: Any) -> Iterator[Value]:
    yield from _one("gpu_power_limit_watts", driver.ask("nvmlDeviceGetEnforcedPowerLimit", gpu), 0.001)


def energy(driver: Driver, gpu: Any) -> Iterator[Value]:
    yield from _one("gpu_energy_joules_total", driver.ask("nvmlDeviceGetTotalEnergyConsumption", gpu), 0.001)


def clocks(driver: Driver, gpu: Any) -> Iterator[Value]:
    for name, kind in CLOCKS.items():
        yield from _one("gpu_clock_hertz", driver.ask("nvmlDeviceGetClockInfo", gpu, kind), 1e6, clock=name)


def throttled(driver: Driver, gpu: Any) -> Iterator[Value]:
    held = driver.ask("nvmlDeviceGetCurrentClocksEventReasons", gpu)
    for name, bit in REASONS.items():
        yield "gpu_throttled", {"reason": name}, float(bool(held & bit))


def ecc(driver: Driver, gpu: Any) -> Iterator[Value]:
    for name, kind in _ECC.items():
        found = driver.ask("nvmlDeviceGetTotalEccErrors", gpu, kind, _VOLATILE)
        yield from _one("gpu_ecc_errors_total", found, type=name)


def pcie(driver: Driver, gpu: Any) -> Iterator[Value]:
    for name, counter in _DIRECTIONS.items():
        found = driver.ask("nvmlDeviceGetPcieThroughput", gpu, counter)  # measures for 20 ms
        yield from _one("gpu_pcie_throughput_bytes", found, 1024.0, direction=name)


QUESTIONS: dict[str, Question] = {
    "utilization": utilization,
    "memory": memory,
    "temperature": temperature,
    "temperature_left": temperature_left,
    "power": power,
    "power_limit": power_limit,
    "energy": energy,
    "clocks": clocks,
    "throttled": throttled,
    "ecc": ecc,
    "pcie": pcie,
}
OF_INSTANCES: dict[str, Question] = {"memory": memory}
"""What an instance (MIG) can be asked; its share of the GPU's time is not known to the driver."""


def _one(metric: str, value: int, factor: float = 1.0, **labels: str) -> Iterator[Value]:
    if value not in _NOT_AVAILABLE:
        yield metric, labels, value * factor
