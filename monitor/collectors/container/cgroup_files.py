"""The files of a control group: what they say, and what a sample of a group consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

UNLIMITED = 1 << 60
"""Version 1 states no limit as the largest number of whole pages, which differs with the page's size."""


@dataclass
class CgroupSample:
    """What a control group tells at one moment; None and what is missing: it does not tell, or has no limit."""

    cpu_seconds: float | None = None
    cpu_limit: float | None = None
    """Cores."""
    periods: float | None = None
    """Scheduling periods under the limit."""
    throttled_periods: float | None = None
    throttled_seconds: float | None = None
    memory_used: float | None = None
    """The working set, in bytes: what is charged, without the file cache that could go at once."""
    memory_limit: float | None = None
    memory_share: float | None = None
    """Of the limit, at the level that is fullest."""
    oom_kills: float | None = None
    waited: dict[tuple[str, str], float] = field(default_factory=dict)
    """Seconds for which some, or all (full), tasks waited, by (resource, kind)."""
    unread: dict[str, str] = field(default_factory=dict)
    """Files that could not be read or understood, and why."""

    def read(self, path: Path, parse: Callable[[str], T], *, needed: bool = True) -> T | None:
        """What the file says. Where it can't be read that is noted, unless it may be missing (`needed` is false)."""
        try:
            return parse(path.read_text())
        except FileNotFoundError:
            if needed:
                self.unread[str(path)] = "there is no such file"
        except OSError as error:
            self.unread[str(path)] = (error.strerror or str(error)).lower()
        except (ValueError, KeyError, IndexError):
            self.unread[str(path)] = "it is not understood"
        return None

    def throttling(self, stat: Mapping[str, int], time: str, unit: float) -> None:
        """Adds what a file `cpu.stat` says of periods, whose throttled time is named `time`, in `unit` seconds."""
        if stat.keys() >= {"nr_periods", "nr_throttled", time}:
            self.periods, self.throttled_periods = float(stat["nr_periods"]), float(stat["nr_throttled"])
            self.throttled_seconds = stat[time] * unit

    def pressure(self, directory: Path) -> None:
        """Adds what the directory's pressure files say."""
        for resource in ("cpu", "memory", "io"):
            for kind, seconds in (self.read(directory / f"{resource}.pressure", stalls) or {}).items():
                self.waited[resource, kind] = seconds


def keyed(text: str) -> dict[str, int]:
    """Lines of a name and a number."""
    return {name: int(value) for name, value in (line.split() for line in _lines(text))}


def size(text: str) -> float | None:
    """Bytes, or None for no limit.

    >>> size("1048576"), size("max"), size("9223372036854771712")
    (1048576.0, None, None)
    """
    value = None if text.strip() == "max" else int(text)
    return None if value is None or value >= UNLIMITED else float(value)


def quota(text: str) -> float | None:
    """Cores of a file `cpu.max`, or None for no limit.

    >>> quota("150000 100000"), quota("max 100000")
    (1.5, None)
    """
    used, period = text.split()
    return None if used == "max" else int(used) / int(period)


def stalls(text: str) -> dict[str, float]:
    """Seconds waited, by kind (some, full), of a pressure file.

    >>> stalls("some avg10=0.00 avg60=0.03 avg300=0.10 total=10490863")
    {'some': 10.490863}
    """
    found = {}
    for line in _lines(text):
        kind, *pairs = line.split()
        found[kind] = int(dict(pair.split("=") for pair in pairs)["total"]) / 1e6
    return found


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def tightest(limits: Iterable[float | None]) -> float | None:
    """The smallest of the limits there are."""
    return min((limit for limit in limits if limit is not None), default=None)


def narrowest(limits: Iterable[tuple[float | None, Path]]) -> tuple[float | None, Path | None]:
    """The smallest of the limits there are, and where it is set."""
    found = [(limit, level) for limit, level in limits if limit is not None]
    return min(found) if found else (None, None)
