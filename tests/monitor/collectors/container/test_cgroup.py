from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from monitor.collectors.container.cgroup import Group, Levels, locate, memberships, read_memberships

TREES = Path(__file__).parent / "cgroup_trees"
POD = "kubepods.slice/pod7.slice"


def shown(levels: Levels, tree: str) -> list[str]:
    return [str(level.relative_to(TREES / tree)) for level in levels]


def found(tree: str, membership: str, elsewhere: bool = False) -> Group:
    group = locate(TREES / tree, memberships(membership), elsewhere=elsewhere)
    assert group is not None
    return group


def test_v2_goes_up_to_the_root_and_leaves_out_the_machine_s_own() -> None:
    group = found("v2", f"0::/{POD}/server.scope\n")
    assert group.version == 2
    assert shown(group.memory, "v2") == [f"{POD}/server.scope", POD, "kubepods.slice"]
    assert group.cpu == group.cpuacct == group.unified == group.memory


@pytest.mark.parametrize("path", ["/", "/../..", "/kubepods.slice/not/to/be/seen"])
def test_v2_in_a_namespace_of_its_own_is_the_root(path: str) -> None:
    assert shown(found("v2_namespace", f"0::{path}\n").memory, "v2_namespace") == ["."]


def test_v1_has_a_place_in_each_hierarchy() -> None:
    group = found("v1", "4:memory:/docker/box\n2:cpu,cpuacct:/docker/box\n1:name=systemd:/x\n0::/\n")
    assert group.version == 1
    assert shown(group.memory, "v1") == ["memory/docker/box", "memory/docker"]
    assert shown(group.cpu, "v1") == shown(group.cpuacct, "v1") == ["cpu,cpuacct/docker/box", "cpu,cpuacct/docker"]
    assert group.unified == ()


def test_v1_that_shows_a_container_its_own_part_alone() -> None:
    group = found("v1_bound", "4:memory:/docker/box\n2:cpu,cpuacct:/docker/box\n")
    assert shown(group.memory, "v1_bound") == ["memory"]
    assert shown(group.cpu, "v1_bound") == ["cpu,cpuacct"]


def test_hybrid_reads_pressure_in_the_tree_beside() -> None:
    group = found("hybrid", "4:memory:/service\n3:cpuacct:/\n2:cpu:/\n0::/service\n")
    assert (group.version, group.cpu, group.cpuacct) == (1, (), ())
    assert shown(group.memory, "hybrid") == ["memory/service"]
    assert shown(group.unified, "hybrid") == ["unified/service"]


@pytest.mark.parametrize(
    ("tree", "membership"),
    [("v2", "0::/\n"), ("v1", "4:memory:/\n2:cpu,cpuacct:/\n"), ("hybrid", "4:memory:/\n2:cpu:/\n1:cpuacct:/\n0::/\n")],
)
def test_the_machine_s_root_group_is_no_container(tree: str, membership: str) -> None:
    assert locate(TREES / tree, memberships(membership)) is None


def test_there_may_be_no_control_groups(tmp_path: Path) -> None:
    assert locate(tmp_path / "nothing", memberships("0::/\n")) is None
    assert locate(tmp_path, {}) is None


@pytest.mark.parametrize(
    ("tree", "membership"),
    [
        ("v2_namespace", "0::/../server.scope\n"),
        ("v2", "0::/kubepods.slice/gone\n"),
        ("v1_bound", "4:memory:/docker/other\n2:cpu,cpuacct:/docker/other\n"),
        ("v1", ""),
    ],
)
def test_another_s_group_that_can_t_be_followed_is_not_taken_for_the_root(tree: str, membership: str) -> None:
    assert locate(TREES / tree, memberships(membership), elsewhere=True) is None


@pytest.mark.parametrize("odd", [b"\xe2\x80\xa8", b"\xc2\x85", b"\r", b"\x0c", b"\xff"])
def test_a_group_s_name_may_hold_whatever_ends_a_line_for_others(odd: bytes, tmp_path: Path) -> None:
    file = tmp_path / "cgroup"
    file.write_bytes(b"4:memory:/a" + odd + b"b\n1:cpu,cpuacct:/c\n0::/d" + odd + b"\n")
    name = os.fsdecode(odd)
    expected = {"memory": f"/a{name}b", "cpu": "/c", "cpuacct": "/c", "": f"/d{name}"}
    assert read_memberships(file) == expected


def test_a_group_made_anew_is_another_one(tmp_path: Path) -> None:
    shutil.copytree(TREES / "v2_namespace", tmp_path / "a")
    shutil.copytree(TREES / "v2_namespace", tmp_path / "b")
    group, other = locate(tmp_path / "a", {"": "/"}), locate(tmp_path / "b", {"": "/"})
    assert group is not None and other is not None
    assert group.identity() == group.identity() != other.identity()
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        group.identity()
