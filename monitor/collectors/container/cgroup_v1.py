"""A control group of version 1, read at one moment."""

from __future__ import annotations

from pathlib import Path

from monitor.collectors.container.cgroup import Group, Levels
from monitor.collectors.container.cgroup_files import CgroupSample, keyed, narrowest, size, tightest


def sample(group: Group) -> CgroupSample:
    """What the group's files say. Limits are the tightest of the groups from this one up."""
    found = CgroupSample()
    if group.cpuacct:
        found.cpu_seconds = found.read(group.cpuacct[0] / "cpuacct.usage", lambda text: int(text) / 1e9)
    if group.cpu:
        _cpu(found, group.cpu)
    if group.memory:
        _memory(found, group.memory)
    if group.unified:
        found.pressure(group.unified[0])
    return found


def _cpu(found: CgroupSample, levels: Levels) -> None:
    found.cpu_limit, where = narrowest((_cores(found, level), level) for level in levels)
    if where is not None:
        # Periods are counted where the limit is set.
        found.throttling(found.read(where / "cpu.stat", keyed) or {}, "throttled_time", 1e-9)


def _cores(found: CgroupSample, level: Path) -> float | None:
    used = found.read(level / "cpu.cfs_quota_us", int, needed=False)
    period = found.read(level / "cpu.cfs_period_us", int, needed=False)
    return used / period if used is not None and used > 0 and period else None


def _memory(found: CgroupSample, levels: Levels) -> None:
    shares = []
    for level in levels:
        limit = found.read(level / "memory.limit_in_bytes", size, needed=False)
        stat = found.read(level / "memory.stat", keyed) if limit is not None or level == levels[0] else None
        if stat is None:
            continue
        used = found.read(level / "memory.usage_in_bytes", int)
        idle = stat.get("total_inactive_file", stat.get("inactive_file"))
        working_set = None if used is None or idle is None else float(max(0, used - idle))
        if level == levels[0]:
            found.memory_used = working_set
            # Knows of the groups above even where they can't be seen.
            limit = tightest([limit, size(str(stat.get("hierarchical_memory_limit", "max")))])
        found.memory_limit = tightest([found.memory_limit, limit])
        if limit and working_set is not None:
            shares.append(working_set / limit)
    found.memory_share = max(shares, default=None)
    found.oom_kills = found.read(levels[0] / "memory.oom_control", lambda text: float(keyed(text)["oom_kill"]))
