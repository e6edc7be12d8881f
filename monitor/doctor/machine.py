"""The machine: releases, clock, GPUs, the container."""

from __future__ import annotations

import ctypes
import platform
import resource
from collections.abc import Iterator
from pathlib import Path

from checks.base import Measurement
from monitor.clock import Clock
from monitor.doctor.finding import Finding, missing, off, ok, problem
from monitor.metrics import release as version
from monitor.settings import CollectSettings

_UNSYNCHRONISED = 5
"""What adjtimex returns (TIME_ERROR) while nothing keeps the clock right."""
FEW_FILES = 1024


def release() -> Iterator[Finding]:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{version()} on Python {platform.python_version()}, {platform.system()} {platform.release()}"
    if 0 <= limit < FEW_FILES:
        todo = "raise it (ulimit -n, LimitNOFILE); each connection takes one"
        yield problem("watchkeeper", f"{text}; only {limit} open files are allowed", todo)
    else:
        yield ok("watchkeeper", text)


def clock() -> Iterator[Finding]:
    """Whether the kernel's clock is kept right: events too far ahead of it are refused."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        yield missing("clock", "this system does not tell whether its clock is kept right")
        return
    if state < 0:
        yield missing("clock", "the kernel does not tell in here whether its clock is kept right")
    elif state == _UNSYNCHRONISED:
        todo = "run chrony or systemd-timesyncd on the host; events over 5 minutes ahead of the clock are refused"
        yield missing("clock", "the kernel knows of nothing that keeps its clock right", todo)
    else:
        yield ok("clock", "kept right (NTP)")


def gpu(collect: CollectSettings, clock: Clock) -> Iterator[Finding]:
    if not collect.gpu:
        yield off("gpu", "collect.gpu is false")
        return
    from monitor.collectors.gpu import GpuCollector

    collector = GpuCollector()
    try:
        rows = [row for row in collector.collect(clock.time(), clock.monotonic()) if row.value is not None]
    finally:
        collector.close()
    failures = {dict(row.labels)["error"] for row in rows if row.name == "gpu_query_failures_total"}
    found = [dict(row.labels) for row in rows if row.name == "gpu_up" and row.value]
    if not found and not failures:
        todo = "none needed without a GPU; with one, give this container the driver (nvidia.com/gpu, --gpus)"
        yield missing("gpu", "the driver's library (libnvidia-ml.so.1) is not here", todo)
    elif not found:
        yield problem("gpu", f"the driver answers {', '.join(sorted(failures))}", "load the driver, or start anew")
    for labels in found:
        values = {row.name: row.value for row in rows if set(labels.items()) <= set(row.labels)}
        size = (values.get("gpu_memory_limit_bytes") or 0.0) / (1 << 30)
        text = f"GPU {labels['gpu']} ({labels['uuid']}), {size:.0f} GiB, {len(values)} metrics"
        if failures:
            todo = "these questions it does not answer here; their series are absent"
            yield missing("gpu", f"{text}; {', '.join(sorted(failures))}", todo)
        else:
            yield ok("gpu", text)


def container(collect: CollectSettings, clock: Clock) -> Iterator[Finding]:
    if not collect.container:
        yield off("container", "collect.container is false")
        return
    root = collect.cgroup
    if not Path(root).is_dir():
        yield problem("container", f"{root} is not there", "mount the control groups there, or set collect.cgroup")
        return
    from monitor.collectors.container import ContainerCollector

    rows = [row for row in ContainerCollector(root).collect(clock.time(), clock.monotonic()) if row.value is not None]
    kind = "control groups v2" if (root / "cgroup.controllers").exists() else "control groups v1"
    if not rows:
        yield missing("container", f"{kind}; this process is in no container")
        return
    yield ok(
        "container",
        f"{kind}; {_limit(rows, 'memory_limit_bytes', 1 << 20, 'MiB')}, {_limit(rows, 'cpu_limit_cores', 1, 'cores')}",
    )


def _limit(rows: list[Measurement], name: str, unit: int, word: str) -> str:
    value = next((row.value for row in rows if row.name == name), None)
    what = "memory" if unit > 1 else "CPU"
    return f"no limit on {what}" if value is None else f"{what} limited to {value / unit:g} {word}"
