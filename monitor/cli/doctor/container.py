"""The container that Watchkeeper runs in: its limits, and whether they leave room for the worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.cli.doctor.finding import Finding, missing, off, ok, problem
from monitor.collectors.container import cgroup_v1, cgroup_v2
from monitor.collectors.container.cgroup import locate, memberships
from monitor.collectors.container.cgroup_files import CgroupSample
from monitor.settings.root import WorkerSettings
from monitor.settings.server import CollectSettings

DAEMON = 128 << 20
"""Bytes that the daemon may need beside its worker."""
SMALLEST = 128 << 20
"""The least that worker.memory_bytes may be."""


def container(collect: CollectSettings, worker: WorkerSettings | None, proc: Path = Path("/proc")) -> Iterator[Finding]:
    """`worker` as the config has it; None without a config."""
    if not collect.container:
        yield off("", "collect.container is false")
        return
    root = collect.cgroup
    if not root.is_dir():
        asked = "cgroup" in collect.model_fields_set
        todo = "mount the machine's /sys/fs/cgroup there, or leave collect.cgroup out"
        yield (problem if asked else missing)("", f"there are no control groups at {root}", todo if asked else "")
        return
    group = locate(root, memberships((proc / "self/cgroup").read_text()))
    if group is None:
        yield missing("", "not in one: the machine is measured alone")
        return
    sample = (cgroup_v2 if group.version == 2 else cgroup_v1).sample(group)
    text = f"control groups v{group.version} in {root}; {_memory(sample)}, {_cpu(sample)}"
    if sample.unread:
        lacking = "; ".join(f"{path}: {why}" for path, why in sorted(sample.unread.items())[:3])
        yield missing("", f"{text}; not measured whole: {lacking}", "their series are absent; nothing else is lost")
    else:
        yield ok("", text)
    if worker is not None and sample.memory_limit is not None and worker.memory_bytes + DAEMON > sample.memory_limit:
        room = int(sample.memory_limit) - DAEMON
        lower = f"set worker.memory_bytes to {room} or less, or " if room >= SMALLEST else ""
        yield problem(
            "worker",
            f"worker.memory_bytes is {_mib(worker.memory_bytes)}, the container's limit {_mib(sample.memory_limit)}: "
            "the kernel would end the daemon, too, before the worker is stopped",
            f"{lower}raise the container's limit",
        )


def _memory(sample: CgroupSample) -> str:
    return "no limit on memory" if sample.memory_limit is None else f"memory limited to {_mib(sample.memory_limit)}"


def _cpu(sample: CgroupSample) -> str:
    return "no limit on CPU" if sample.cpu_limit is None else f"CPU limited to {sample.cpu_limit:g} cores"


def _mib(size: float) -> str:
    return f"{size / (1 << 20):.0f} MiB"
