"""Where a process's control group lies: cgroup v2, v1, and v1 with a v2 tree beside it (hybrid).

Files and their meaning: https://docs.kernel.org/admin-guide/cgroup-v2.html and …/cgroup-v1/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

UNIFIED = ""
"""The name under which /proc/PID/cgroup lists the v2 tree."""
_SHARED = {"cpu": ("cpu", "cpu,cpuacct", "cpuacct,cpu"), "cpuacct": ("cpuacct", "cpu,cpuacct", "cpuacct,cpu")}

Levels = tuple[Path, ...]
"""A group's directory, then those of the groups above it; without the machine's root group."""


@dataclass(frozen=True)
class Group:
    """A process's control group, in each hierarchy that has one."""

    version: int
    cpu: Levels
    cpuacct: Levels
    memory: Levels
    unified: Levels
    """Where pressure is told, with v1 too."""

    def identity(self) -> tuple[tuple[int, int], ...]:
        """What another group at the same place does not have. Raises OSError when the group is gone."""
        own = [levels[0] for levels in (self.cpu, self.cpuacct, self.memory, self.unified) if levels]
        return tuple((status.st_dev, status.st_ino) for status in map(Path.stat, own))


def memberships(text: str) -> dict[str, str]:
    """The groups that /proc/PID/cgroup names, by controller; those of controllers that are not read are left out.

    >>> memberships("4:memory:/a\\n2:cpu,cpuacct:/b\\n1:name=systemd:/c\\n0::/")
    {'memory': '/a', 'cpu': '/b', 'cpuacct': '/b', '': '/'}
    """
    found = {}
    for line in text.removesuffix("\n").split(
        "\n"
    ):  # a group's name may hold whatever else Python takes for a line's end
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for controller in controllers.split(","):
            if controller in (UNIFIED, "cpu", "cpuacct", "memory"):
                found[controller] = path
    return found


def read_memberships(file: Path) -> dict[str, str]:
    """Return the groups that a file such as /proc/PID/cgroup names, whatever bytes are in the names. Raises OSError."""
    return memberships(file.read_bytes().decode("utf-8", "surrogateescape"))


def locate(root: Path, paths: Mapping[str, str], *, elsewhere: bool = False) -> Group | None:
    """The group with these paths under `root`; None where there is none but the machine's own root group.

    Where a path is not to be found, the group is taken to be `root` itself: a container that is shown its own part of
    the tree reads paths that it can't follow. Not so with `elsewhere`, for a group that may lie outside of `root`.
    """
    if (root / "cgroup.controllers").exists():
        levels = _levels(root, paths.get(UNIFIED), elsewhere, "cgroup.events", True)
        return Group(2, levels, levels, levels, levels) if levels else None

    def v1(controller: str) -> Levels:
        for name in _SHARED.get(controller, (controller,)):
            if (root / name).is_dir():
                return _levels(root / name, paths.get(controller), elsewhere, "release_agent", False)
        return ()

    unified = _levels(root / "unified", paths.get(UNIFIED), elsewhere, "cgroup.events", True)
    group = Group(1, v1("cpu"), v1("cpuacct"), v1("memory"), unified)
    return group if group.cpu or group.cpuacct or group.memory or group.unified else None


def _levels(base: Path, path: str | None, elsewhere: bool, mark: str, marked: bool) -> Levels:
    """The directories from the path's up to `base`, but those of the machine's root group: the file `mark` is there in
    every other group (`marked`), or in that one alone. `..` comes before what lies outside the reader's namespace."""
    own = base / (path or "/").lstrip("/")
    if path is None or ".." in own.parts or not own.is_dir():
        if elsewhere:
            return ()
        own = base
    directories = [own]
    while directories[-1] != base:
        directories.append(directories[-1].parent)
    return tuple(directory for directory in directories if (directory / mark).exists() is marked)
