"""What is asked of one GPU, and what its answers mean in base units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

from checks.base import Labels
from monitor.collectors.gpu.driver import NOTHING, REFUSALS, Driver, Unanswered

REFUSED_SECONDS = 600.0
"""Before a question that a GPU has no answer to is asked, and counted as a failure, again."""

Refused = dict[tuple[Labels, str, tuple[int, ...]], tuple[float, int]]
"""Until when a question is not asked, and the code it was refused with."""


class Device:
    """One GPU or instance, as it is asked during one sample."""

    def __init__(self, driver: Driver, handle: Any, own: Labels, refused: Refused, monotonic: float) -> None:
        self._driver, self._handle, self._own = driver, handle, own
        self._refused, self._now = refused, monotonic

    def ask(self, function: str, *arguments: Any, uncounted: Collection[int] = NOTHING) -> Any:
        """The answer. Raises Unanswered, without asking where that was the answer not long ago; Lost; DriverGone."""
        key = (self._own, function, tuple(item for item in arguments if isinstance(item, int)))
        until, code = self._refused.get(key, (self._now, 0))
        if self._now < until:
            raise Unanswered(code)
        try:
            return self._driver.ask(function, self._handle, *arguments, uncounted=uncounted)
        except Unanswered as error:
            if error.code in REFUSALS:
                self._refused[key] = (self._now + REFUSED_SECONDS, error.code)
            raise

    def offered(self, function: str) -> Any:
        """The answer to what not every GPU and driver can be asked; None, which is no failure, where it can't be."""
        try:
            return self.ask(function, uncounted=NOTHING | REFUSALS)
        except Unanswered as error:
            if error.code in REFUSALS:
                return None
            raise


Value = tuple[str, dict[str, str], float]
"""Metric, labels beside the GPU's own, value."""
Question = Callable[[Device], Iterator[Value]]

REASONS = {
    "sw_power_cap": 0x04,
    "hw_slowdown": 0x08 | 0x40 | 0x80,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake": 0x80,
}
"""Why clocks are held down against the GPU's will; `hw_slowdown` is whatever the hardware does by itself, of which
`hw_thermal_slowdown` and `hw_power_brake` are kinds. That the GPU is idle, or that someone set its clocks, is none."""
_CLOCKS = {"graphics": 0, "sm": 1, "memory": 2, "video": 3}
_ECC = {"corrected": 0, "uncorrected": 1}
_DIRECTIONS = {"transmit": 0, "receive": 1}
_VOLATILE = 0
_SLOWDOWN = 1
_WORD = (1 << 32) - 1
"""NVML's 'not available', as its largest number."""


def utilization(gpu: Device) -> Iterator[Value]:
    yield from _one("gpu_utilization_ratio", gpu.ask("nvmlDeviceGetUtilizationRates").gpu, 0.01, most=100)


def memory(gpu: Device) -> Iterator[Value]:
    found = gpu.ask("nvmlDeviceGetMemoryInfo")
    if 0 < found.total < 1 << 50 and found.used <= found.total:
        yield "gpu_memory_used_bytes", {}, float(found.used)
        yield "gpu_memory_limit_bytes", {}, float(found.total)
        yield "gpu_memory_utilization_ratio", {}, found.used / found.total


def temperature(gpu: Device) -> Iterator[Value]:
    yield from _one("gpu_temperature_celsius", gpu.ask("nvmlDeviceGetTemperature", 0), most=250)


def temperature_headroom(gpu: Device) -> Iterator[Value]:
    """Ask newer GPUs for it; take the temperature from the threshold of older ones."""
    headroom = gpu.offered("nvmlDeviceGetMarginTemperature")
    if headroom is None:
        limit = gpu.ask("nvmlDeviceGetTemperatureThreshold", _SLOWDOWN)
        now = gpu.ask("nvmlDeviceGetTemperature", 0)
        headroom = limit - now if 0 < limit <= 250 and now <= 250 else None
    if headroom is not None and -250 <= headroom <= 250:
        yield "gpu_temperature_headroom_celsius", {}, float(headroom)


def power(gpu: Device) -> Iterator[Value]:
    yield from _one("gpu_power_watts", gpu.ask("nvmlDeviceGetPowerUsage"), 0.001)


def power_limit(gpu: Device) -> Iterator[Value]:
    yield from _one("gpu_power_limit_watts", gpu.ask("nvmlDeviceGetEnforcedPowerLimit"), 0.001)


def energy(gpu: Device) -> Iterator[Value]:
    millijoules = gpu.ask("nvmlDeviceGetTotalEnergyConsumption")
    yield from _one("gpu_energy_joules_total", millijoules, 0.001, most=1 << 60)


def clock(name: str, kind: int, gpu: Device) -> Iterator[Value]:
    yield from _one("gpu_clock_hertz", gpu.ask("nvmlDeviceGetClockInfo", kind), 1e6, most=100_000, clock=name)


def throttled(gpu: Device) -> Iterator[Value]:
    held = gpu.offered("nvmlDeviceGetCurrentClocksEventReasons")
    if held is None:
        held = gpu.ask("nvmlDeviceGetCurrentClocksThrottleReasons")  # its name before release 535
    if held < 1 << 32:
        for name, bits in REASONS.items():
            yield "gpu_throttled", {"reason": name}, float(bool(held & bits))


def ecc(name: str, kind: int, gpu: Device) -> Iterator[Value]:
    found = gpu.ask("nvmlDeviceGetTotalEccErrors", kind, _VOLATILE)
    yield from _one("gpu_ecc_errors_total", found, type=name)


def pcie(name: str, counter: int, gpu: Device) -> Iterator[Value]:
    # The driver measures for 20 ms. NVML says KB, which nvidia-smi's own readers take for 1024.
    found = gpu.ask("nvmlDeviceGetPcieThroughput", counter)
    yield from _one("gpu_pcie_throughput_bytes_per_second", found, 1024.0, direction=name)


QUESTIONS: tuple[Question, ...] = (
    utilization,
    memory,
    temperature,
    temperature_headroom,
    power,
    power_limit,
    energy,
    *(partial(clock, name, kind) for name, kind in _CLOCKS.items()),
    throttled,
    *(partial(ecc, name, kind) for name, kind in _ECC.items()),
    *(partial(pcie, name, counter) for name, counter in _DIRECTIONS.items()),
)
OF_SPLIT: tuple[Question, ...] = tuple(question for question in QUESTIONS if question is not utilization)
"""What a GPU that is split (MIG) can be asked: the driver does not know the share of time that it is busy."""
OF_INSTANCES: tuple[Question, ...] = (memory,)
"""What its instances can be asked: all else is the whole GPU's."""


def processes(gpu: Device) -> dict[int, float]:
    """Bytes that each process holds, by the driver's process numbers. One whose use is not known is left out."""
    running = gpu.offered("nvmlDeviceGetComputeRunningProcesses_v3")
    if running is None:
        running = gpu.ask("nvmlDeviceGetComputeRunningProcesses_v2")  # before release 510
    used: dict[int, float] = {}
    for process in running:
        if process.usedGpuMemory is not None:
            used[process.pid] = used.get(process.pid, 0.0) + process.usedGpuMemory
    return used


def _one(metric: str, value: int, factor: float = 1.0, *, most: int = _WORD - 1, **labels: str) -> Iterator[Value]:
    if value <= most:
        yield metric, labels, value * factor
