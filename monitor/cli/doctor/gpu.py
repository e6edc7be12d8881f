"""GPUs: NVIDIA's library, its driver, the devices that it shows, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from checks.base import Labels, Measurement
from monitor.cli.doctor.finding import Finding, missing, off, ok, problem
from monitor.clock import Clock
from monitor.collectors.gpu.collector import GpuCollector
from monitor.collectors.gpu.driver import LIBRARY, NO_ANSWER, Driver, GpuError
from monitor.settings.server import CollectSettings

SECONDS = 5.0
"""Of which a driver that nobody holds open takes some."""
_NOT_HERE = "nothing, without a GPU; with one, give this container its share (nvidia.com/gpu, or --gpus all)"
_ADVICE = {
    "no_permission": "run as a user who may use the GPU's devices",
    "driver_not_loaded": "nothing, without a GPU; with one, load the driver, or start this container with GPUs",
    "version_mismatch": "library and kernel module differ: restart what was updated, containers included",
    "unknown": "this container may have lost its devices: start it anew",
    NO_ANSWER: "look at nvidia-smi and the kernel's log; the driver may need a restart",
}


def gpu(collect: CollectSettings, clock: Clock, devices: Path = Path("/dev")) -> Iterator[Finding]:
    if not collect.gpu:
        yield off("", "collect.gpu is false")
        return
    driver = Driver()
    if not driver.load():
        yield missing("", f"there is no {LIBRARY}, NVIDIA's library, in here", _NOT_HERE)
        return
    collector = GpuCollector(driver, SECONDS)
    rows = [row for row in collector.collect(clock.time(), clock.monotonic()) if row.value is not None]
    failed = {name for name, count in driver.failures.items() if count}
    if NO_ANSWER in failed:
        yield problem("", f"the driver has not answered within {SECONDS:g} s", _ADVICE[NO_ANSWER])
        return
    try:
        yield from _open(driver, clock, devices) or _devices(driver, failed, _by_gpu(rows))
    finally:
        collector.close()


def _open(driver: Driver, clock: Clock, devices: Path) -> list[Finding]:
    """Why the driver can't be asked; nothing if it can."""
    if driver.ready(clock.monotonic()):
        return []
    error = min(driver.failures, default="driver_not_loaded")
    nodes = sorted(path.name for path in devices.glob("nvidia[0-9]*"))
    found = f"{LIBRARY} is here, and says {error}; " + (", ".join(nodes) if nodes else f"no {devices}/nvidia0")
    # The library without a driver, as in many images, is as it should be where there is no GPU.
    kind = missing if error == "driver_not_loaded" and not nodes else problem
    return [kind("", found, _ADVICE.get(error, "look at nvidia-smi"))]


def _devices(driver: Driver, failed: set[str], gpus: Mapping[Labels, Mapping[str, float]]) -> Iterator[Finding]:
    release = _driver_release(driver)
    whole = {own: values for own, values in gpus.items() if ":" not in dict(own)["gpu"]}
    if not whole:
        said = f", and says {', '.join(sorted(failed))}" if failed else ""
        kind = problem if failed else missing
        yield kind("", f"driver {release} shows no GPU{said}", _ADVICE.get(min(failed, default=""), _NOT_HERE))
    for own, values in whole.items():
        names = dict(own)
        text = f"GPU {names['gpu']} ({names.get('uuid', 'no uuid')}), driver {release}"
        if not values.get("gpu_up"):
            yield problem("", f"{text}: it does not answer", "look at the kernel's log (XID); it may need a reset")
            continue
        size = values.get("gpu_memory_limit_bytes")
        parts = sum(1 for other in gpus if dict(other)["gpu"].startswith(f"{names['gpu']}:"))
        text += f", {size / (1 << 30):.0f} GiB" if size else ""
        text += f", {parts} instances (MIG)" if parts else ""
        text += f", {len(values)} metrics"
        if failed:
            yield missing("", f"{text}; to some questions: {', '.join(sorted(failed))}", "their series are absent")
        else:
            yield ok("", text)


def _driver_release(driver: Driver) -> str:
    try:
        found = driver.ask("nvmlSystemGetDriverVersion")
    except GpuError:
        return "of an unknown release"
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)


def _by_gpu(rows: list[Measurement]) -> dict[Labels, dict[str, float]]:
    """Values by metric, of each GPU or instance."""
    found: dict[Labels, dict[str, float]] = {}
    for row in rows:
        own = tuple(item for item in row.labels if item[0] in ("gpu", "uuid"))
        if own and row.value is not None:
            found.setdefault(own, {})[row.name] = row.value
    return found
