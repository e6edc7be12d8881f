"""A container's limits and use: what its control group says, as measurements with scope="container".

A container here is any control group but the machine's root one, so a service of systemd's is one, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import psutil

from checks.base import Measurement, NotEnough, Window, labels
from monitor.collectors.container import cgroup_v1, cgroup_v2
from monitor.collectors.container.cgroup import Group, locate, read_memberships
from monitor.collectors.container.cgroup_files import CgroupSample
from monitor.collectors.recent_count import RecentCount
from monitor.collectors.stale_series import StaleSeries

log = logging.getLogger("watchkeeper.collectors.container")

CONTAINER = labels(scope="container")
METRICS = frozenset(
    {
        "cpu_utilization_ratio",
        "cpu_limit_cores",
        "cpu_throttled_ratio",
        "cpu_throttled_seconds_total",
        "memory_used_bytes",
        "memory_utilization_ratio",
        "memory_limit_bytes",
        "oom_kills_total",
        "oom_kills_recent",
        "pressure_ratio",
    }
)


class ContainerUse:
    """Measures one container, sample by sample: what only grows is compared with the last sample.

    A counter that fell, as after the container was made anew at the same place, has counted from 0; the counters of
    another group than before have no last sample.
    """

    def __init__(self, whose: str, cores: Callable[[], int | None] = psutil.cpu_count) -> None:
        """`whose` says in the log which container it is; `cores` are the machine's."""
        self._whose, self._cores = whose, cores
        self._before: tuple[tuple[tuple[int, int], ...], float, CgroupSample] | None = None
        self._kills = RecentCount()
        self._said: set[str] = set()

    def measure(self, group: Group, now: float, monotonic: float) -> list[Measurement]:
        """What the group's files say now; what they do not tell is left out. Raises OSError when it is gone."""
        identity = group.identity()
        sample = (cgroup_v2 if group.version == 2 else cgroup_v1).sample(group)
        self._say(sample)
        before = self._before if self._before and self._before[0] == identity else None
        self._before = (identity, monotonic, sample)
        seconds = monotonic - before[1] if before else 0.0
        window = Window(now - seconds, now)
        then = before[2] if before and seconds > 0 else None
        if then:
            self._kills.add(monotonic, _more(sample.oom_kills, then.oom_kills) or 0.0)
        return [
            *self._cpu(sample, then, window),
            *_memory(sample, window),
            *self._oom(sample, window, monotonic),
            *_pressure(sample, then, window),
        ]

    def _cpu(self, sample: CgroupSample, then: CgroupSample | None, window: Window) -> list[Measurement]:
        rows = []
        if sample.cpu_seconds is not None:
            used = _more(sample.cpu_seconds, then.cpu_seconds) if then else None
            time = window.seconds * (sample.cpu_limit or self._cores() or 1)
            rows.append(_ratio("cpu_utilization_ratio", used, time, window))
        if sample.cpu_limit is None:
            return rows
        rows.append(Measurement("cpu_limit_cores", sample.cpu_limit, window, CONTAINER))
        if sample.throttled_seconds is None:
            return rows
        throttled = _more(sample.throttled_periods, then.throttled_periods) if then else None
        periods = _more(sample.periods, then.periods) if then else None
        return [
            *rows,
            _ratio("cpu_throttled_ratio", throttled, periods, window),
            Measurement("cpu_throttled_seconds_total", sample.throttled_seconds, window, CONTAINER),
        ]

    def _oom(self, sample: CgroupSample, window: Window, monotonic: float) -> list[Measurement]:
        if sample.oom_kills is None:
            return []
        return [
            Measurement("oom_kills_total", sample.oom_kills, window, CONTAINER),
            Measurement("oom_kills_recent", self._kills.count(monotonic), window, CONTAINER),
        ]

    def _say(self, sample: CgroupSample) -> None:
        """Logs, once a file, what can't be read."""
        new = {path: why for path, why in sample.unread.items() if path not in self._said}
        if new:
            lacking = "; ".join(f"{path}: {why}" for path, why in new.items())
            log.info("%s is not measured whole, as these can't be read: %s", self._whose, lacking)
        self._said |= new.keys()


class ContainerCollector:
    """The container that Watchkeeper runs in; nothing where it runs in the machine's root control group."""

    name = "container"
    metrics = METRICS

    def __init__(
        self, root: Path, proc: Path = Path("/proc"), cores: Callable[[], int | None] = psutil.cpu_count
    ) -> None:
        """`root`: where control groups are mounted; `cores`: the machine's."""
        self._root, self._proc = root, proc
        self._use = ContainerUse("this container", cores)
        self._shown = StaleSeries()
        self._said = False

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        rows: list[Measurement] = []
        try:
            group = locate(self._root, read_memberships(self._proc / "self/cgroup"))
            rows = self._use.measure(group, now, monotonic) if group else []
        except FileNotFoundError:
            # No control groups on this system, or moved to another one in between: the next sample tells.
            pass
        except OSError as error:
            if not self._said:
                log.warning("this container is not measured: %s: %s", error.filename, error.strerror)
            self._said = True
        return self._shown.whole(rows, Window(now, now))


def _more(after: float | None, before: float | None) -> float | None:
    """What was counted between two samples; one that fell has begun anew."""
    if after is None or before is None:
        return None
    return after - before if after >= before else after


def _ratio(
    name: str, part: float | None, whole: float | None, window: Window, scope: tuple[tuple[str, str], ...] = CONTAINER
) -> Measurement:
    if part is None or whole is None:
        return Measurement(name, None, window, scope, reason=NotEnough.FIRST_SAMPLE)
    if whole <= 0:  # an idle container has no scheduling periods
        return Measurement(name, None, window, scope, reason=NotEnough.NO_ROWS)
    # A burst, or a sample taken late, may come to a little more than all.
    return Measurement(name, min(1.0, max(0.0, part / whole)), window, scope)


def _memory(sample: CgroupSample, window: Window) -> list[Measurement]:
    values = {
        "memory_used_bytes": sample.memory_used,
        "memory_limit_bytes": sample.memory_limit,
        "memory_utilization_ratio": sample.memory_share,
    }
    return [Measurement(name, value, window, CONTAINER) for name, value in values.items() if value is not None]


def _pressure(sample: CgroupSample, then: CgroupSample | None, window: Window) -> list[Measurement]:
    rows = []
    for (resource, kind), seconds in sample.waited.items():
        waited = _more(seconds, then.waited.get((resource, kind))) if then else None
        scope = labels(scope="container", resource=resource, kind=kind)
        rows.append(_ratio("pressure_ratio", waited, window.seconds, window, scope))
    return rows
