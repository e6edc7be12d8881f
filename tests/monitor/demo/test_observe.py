from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from monitor.demo.data import DemoError
from monitor.demo.observe import Observer
from monitor.demo.processes import Child
from monitor.demo.screen import Screen
from monitor.demo.story import DAY, REPLAY, story
from monitor.demo.watch import Watch
from tests.monitor.demo.test_replay import HandClock


class Stage:
    """An observer whose screen, clock and log are at hand."""

    def __init__(self, folder: Path, children: list[Child] | None = None) -> None:
        self.log = folder / "log"
        self.log.touch()
        self.shown = io.StringIO()
        self.clock = HandClock()
        self.observer = Observer(
            Screen(Console(file=self.shown, width=200)),
            Watch("http://127.0.0.1:9", self.log),
            children or [],
            story(REPLAY[0]),
            REPLAY[0],
            self.clock,
        )

    def at(self, day: float) -> None:
        self.clock.sleep(1.0)
        self.observer(REPLAY[0] + day * DAY)


def test_faults_are_announced_as_they_begin_and_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for day in (29.9, 30.0, 35.0, 39.9, 40.0, 41.0):
        stage.at(day)
    said = [line for line in stage.shown.getvalue().splitlines() if "FAULT" in line]
    assert [line.split("  ")[0] for line in said] == ["01 May", "11 May"]
    assert "begins: distance arrives in kilometres" in said[0]
    assert "ends: distance arrives in kilometres" in said[1]
    played = stage.observer.played()
    assert [(one.fault.name, one.begun, one.ended) for one in played] == [("kilometres", 52.0, 55.0)]


def test_a_fault_cut_short_by_the_end_of_the_replay_ends_with_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.at(76.0)
    stage.clock.sleep(1.0)
    stage.observer(float("inf"))
    assert [(one.fault.name, one.ended) for one in stage.observer.played()] == [("missing", 52.0)]


def test_messages_are_shown_as_they_come_with_their_reason(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.at(1.0)
    stage.log.write_text("FIRING    warning   delays  drift  [x] 3.2 > 0.1 since 2013-05-01T00:00Z  (first)\n")
    stage.at(2.0)
    assert "03 Apr  FIRING    warning   delays  drift  [x] 3.2 > 0.1" in stage.shown.getvalue()
    assert stage.shown.getvalue().rstrip().endswith("(first)")


def test_a_process_that_died_stops_the_replay(tmp_path: Path) -> None:
    child = Child("the model server", ["false"], tmp_path / "server.log")
    child.stop()
    with pytest.raises(DemoError, match="the model server ended with status"):
        Stage(tmp_path, [child]).at(1.0)
