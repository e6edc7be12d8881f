from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli.doctor.container import container
from monitor.settings.root import WorkerSettings
from monitor.settings.server import CollectSettings
from tests.monitor.cli.doctor.conftest import only, shown
from tests.monitor.collectors.container.test_cgroup import TREES


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text("0::/\n")
    return tmp_path


def test_limits_are_shown_with_the_version(proc: Path) -> None:
    small = WorkerSettings(memory_bytes=128 << 20)
    found = only(container(CollectSettings(cgroup=TREES / "v2_namespace"), small, proc))
    assert found.status.value == "ok"
    assert (
        found.found
        == f"control groups v2 in {TREES / 'v2_namespace'}; memory limited to 256 MiB, CPU limited to 0.5 cores"
    )


def test_a_worker_that_is_allowed_more_than_the_container_has_is_a_problem(proc: Path) -> None:
    collect = CollectSettings(cgroup=TREES / "v2_namespace")
    _, found = container(collect, WorkerSettings(), proc)
    assert (found.name, found.status.value) == ("worker", "problem")
    assert "worker.memory_bytes is 2048 MiB" in found.found
    assert f"{128 << 20} or less" in found.todo
    assert len(list(container(collect, None, proc))) == 1, "without a config nothing is known of the worker"


def test_none_off_and_nowhere_are_told_apart(proc: Path, tmp_path: Path) -> None:
    assert shown(container(CollectSettings(container=False), None, proc)) == ["off: collect.container is false"]
    found = only(container(CollectSettings(cgroup=tmp_path / "no"), None, proc))
    assert (found.status.value, found.found) == ("problem", f"there are no control groups at {tmp_path / 'no'}")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/cgroup.controllers").touch()
    found = only(container(CollectSettings(cgroup=tmp_path / "root"), None, proc))
    assert (found.status.value, found.found) == ("missing", "not in one: the machine is measured alone")


def test_files_that_can_not_be_read_are_named(proc: Path, tmp_path: Path) -> None:
    root = tmp_path / "bare"
    root.mkdir()
    for name in ("cgroup.controllers", "cgroup.events"):
        (root / name).touch()
    found = only(container(CollectSettings(cgroup=root), None, proc))
    assert found.status.value == "missing"
    assert "cpu.stat: there is no such file" in found.found
