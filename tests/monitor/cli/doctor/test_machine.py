from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli.doctor import machine
from tests.monitor.cli.doctor.conftest import Configure, only, shown


@pytest.fixture
def files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("files")
def test_few_open_files_are_a_problem() -> None:
    assert shown(machine.limits()) == ["problem: only 512 open files"]


def test_the_config_is_named(configure: Configure) -> None:
    found = only(machine.config(configure("model: delays\n"), Path("w.yaml")))
    assert (found.status.value, found.found.startswith("w.yaml: delays; ")) == ("ok", True)
    found = only(machine.config(None, Path("w.yaml")))
    assert (found.status.value, "watchkeeper init" in found.todo) == ("missing", True)


def test_settings_in_a_mistaken_unit_are_remarked(configure: Configure) -> None:
    settings = configure("model: a\nlabels: {maturity: 7}\nretention: {events: 14}\n")
    _, first, second = machine.config(settings, Path("w.yaml"))
    assert (first.name, second.name) == ("a: remark", "remark")
    assert first.found.startswith("labels.maturity is 7s, ")
    assert second.found.startswith("retention.events is 14s, ")


def test_the_release() -> None:
    assert "Python 3." in only(machine.release()).found
