"""A control group of version 2, read at one moment."""

from __future__ import annotations

from pathlib import Path

from monitor.collectors.container.cgroup import Group, Levels
from monitor.collectors.container.cgroup_files import CgroupSample, keyed, narrowest, quota, size, tightest


def sample(group: Group) -> CgroupSample:
    """What the group's files say. Limits are the tightest of the groups from this one up."""
    found = CgroupSample()
    _cpu(found, group.cpu)
    _memory(found, group.memory)
    found.pressure(group.unified[0])
    return found


def _cpu(found: CgroupSample, levels: Levels) -> None:
    used = found.read(levels[0] / "cpu.stat", keyed) or {}
    if "usage_usec" in used:
        found.cpu_seconds = used["usage_usec"] / 1e6
    found.cpu_limit, where = narrowest((found.read(level / "cpu.max", quota, needed=False), level) for level in levels)
    if where is not None:
        # Periods are counted where the limit is set.
        held = used if where == levels[0] else found.read(where / "cpu.stat", keyed)
        found.throttling(held or {}, "throttled_usec", 1e-6)


def _memory(found: CgroupSample, levels: Levels) -> None:
    shares = []
    for level in levels:
        # Above memory.high a group is slowed down until it has given memory back: no more can be used.
        limit = tightest(found.read(level / name, size, needed=False) for name in ("memory.max", "memory.high"))
        used = _working_set(found, level) if limit is not None or level == levels[0] else None
        if level == levels[0]:
            found.memory_used = used
        found.memory_limit = tightest([found.memory_limit, limit])
        if limit and used is not None:
            shares.append(used / limit)
    found.memory_share = max(shares, default=None)
    found.oom_kills = found.read(levels[0] / "memory.events", lambda text: float(keyed(text)["oom_kill"]))


def _working_set(found: CgroupSample, level: Path) -> float | None:
    current = found.read(level / "memory.current", int)
    idle = found.read(level / "memory.stat", lambda text: keyed(text)["inactive_file"])
    return None if current is None or idle is None else float(max(0, current - idle))
