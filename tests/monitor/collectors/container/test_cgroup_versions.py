"""What a sample of each kind of control group consists of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.collectors.container import cgroup_v1, cgroup_v2
from monitor.collectors.container.cgroup import locate, memberships
from monitor.collectors.container.cgroup_files import CgroupSample, size
from tests.monitor.collectors.container.test_cgroup import POD, TREES

GIB = 1 << 30
PRESSURE = {
    ("cpu", "some"): 9.0,
    ("cpu", "full"): 4.0,
    ("memory", "some"): 2.0,
    ("memory", "full"): 1.5,
    ("io", "some"): 0.3,
    ("io", "full"): 0.2,
}


def sample(root: Path, membership: str) -> CgroupSample:
    group = locate(root, memberships(membership))
    assert group is not None
    return (cgroup_v2 if group.version == 2 else cgroup_v1).sample(group)


def test_v2_with_limits() -> None:
    assert sample(TREES / "v2", f"0::/{POD}/server.scope\n") == CgroupSample(
        cpu_seconds=60.0,
        cpu_limit=1.5,
        periods=4000.0,
        throttled_periods=800.0,
        throttled_seconds=6.0,
        memory_used=536870912.0,  # without the file cache that could go
        memory_limit=float(GIB),
        # The pod as a whole is fuller than this container of it.
        memory_share=1850000000 / (2 * GIB),
        oom_kills=1.0,
        waited=PRESSURE,
    )


def test_v2_takes_the_tightest_limit_of_those_above() -> None:
    found = sample(TREES / "v2", f"0::/{POD}/sidecar.scope\n")
    assert (found.cpu_limit, found.memory_limit) == (2.0, 2.0 * GIB)
    assert (found.cpu_seconds, found.memory_used, found.oom_kills) == (3.0, 60000000.0, 0.0)
    # Throttling is counted where the limit is.
    assert (found.periods, found.throttled_periods, found.throttled_seconds) == (5000.0, 900.0, 8.0)
    assert found.unread == {}


def test_v2_memory_high_is_a_limit_too() -> None:
    found = sample(TREES / "v2_namespace", "0::/\n")
    assert (found.cpu_limit, found.memory_limit, found.memory_share) == (0.5, 268435456.0, 0.5)


def test_v1_with_limits() -> None:
    found = sample(TREES / "v1", "4:memory:/docker/box\n2:cpu,cpuacct:/docker/box\n")
    assert found == CgroupSample(
        cpu_seconds=60.0,
        cpu_limit=1.5,
        periods=4000.0,
        throttled_periods=800.0,
        throttled_seconds=6.0,
        memory_used=536870912.0,
        memory_limit=float(GIB),
        memory_share=0.5,
        oom_kills=2.0,
    )


def test_v1_knows_of_a_limit_that_it_can_t_see() -> None:
    found = sample(TREES / "v1_bound", "4:memory:/docker/box\n2:cpu,cpuacct:/docker/box\n")
    assert (found.memory_used, found.memory_limit) == (368542720.0, 536870912.0)
    assert found.memory_share == pytest.approx(0.686, abs=1e-3)


def test_hybrid() -> None:
    found = sample(TREES / "hybrid", "4:memory:/service\n3:cpuacct:/\n2:cpu:/\n0::/service\n")
    assert found == CgroupSample(memory_used=536870912.0, oom_kills=0.0, waited=PRESSURE)


def test_no_limit_of_version_1_is_a_huge_number_that_differs_with_the_page() -> None:
    for unlimited in (0x7FFFFFFFFFFFF000, 0x7FFFFFFFFFFF0000, (1 << 63) - 1):
        assert size(f"{unlimited}\n") is None
    assert size("1099511627776\n") == float(1 << 40)


@pytest.mark.parametrize(
    ("file", "lost"),
    [
        ("cpu.stat", {"cpu_seconds", "periods", "throttled_periods", "throttled_seconds"}),
        ("memory.current", {"memory_used", "memory_share"}),
        ("memory.stat", {"memory_used", "memory_share"}),
        ("memory.events", {"oom_kills"}),
        ("cpu.max", {"cpu_limit", "periods", "throttled_periods", "throttled_seconds"}),
        ("memory.high", {"memory_limit", "memory_share"}),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "a folder", "nonsense"])
def test_a_file_that_can_t_be_read_costs_its_own_values_alone(
    tmp_path: Path, file: str, lost: set[str], damage: str
) -> None:
    root = shutil.copytree(TREES / "v2_namespace", tmp_path / "root")
    whole = sample(root, "0::/\n")
    (root / file).unlink()
    if damage == "a folder":
        (root / file).mkdir()
    elif damage == "nonsense":
        (root / file).write_text("what is this\n")
    found = sample(root, "0::/\n")
    if damage == "nonsense":
        assert found.unread[str(root / file)] == "it is not understood"
    elif damage == "a folder":
        assert found.unread[str(root / file)] == "is a directory"
    else:  # without a limit there is no file in some groups
        assert found.unread == ({} if "max" in file or "high" in file else {str(root / file): "there is no such file"})
    for name in vars(whole).keys() - {"unread"}:
        assert getattr(found, name) == (None if name in lost else getattr(whole, name)), name


def test_pressure_that_is_switched_off(tmp_path: Path) -> None:
    root = shutil.copytree(TREES / "v2_namespace", tmp_path / "root")
    for resource in ("cpu", "io"):
        (root / f"{resource}.pressure").unlink()
    assert sample(root, "0::/\n").waited == {("memory", "some"): 2.0, ("memory", "full"): 1.5}
