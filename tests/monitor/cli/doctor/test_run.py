"""The examinations together: none holds up another, and one that raises is a finding."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from monitor.cli.doctor.clock_offset import Offsets
from monitor.cli.doctor.finding import Finding, FindingStatus, ok
from monitor.cli.doctor.run import examinations, examine, side_by_side
from monitor.clock import SystemClock
from tests.e2e.process import wait_for
from tests.monitor.cli.doctor.conftest import Configure


def test_findings_come_in_the_order_of_their_examinations() -> None:
    found = side_by_side({"b": lambda: [ok("", "fine")], "a": lambda: [ok("other", "well")]}, SystemClock())
    assert found == [Finding("b", FindingStatus.OK, "fine"), Finding("other", FindingStatus.OK, "well")]


def test_what_raises_or_hangs_is_a_problem_of_its_own() -> None:
    enough, told = threading.Event(), threading.Event()

    class Patient(SystemClock):
        """A clock on which no time passes until all but what hangs has ended."""

        now = 0.0

        def monotonic(self) -> float:
            before, self.now = self.now, 0.3
            if before:
                wait_for(lambda: not {"a", "c"} & {thread.name for thread in threading.enumerate()}, "they end")
                assert told.wait(30)
            return before

    def broken() -> list[Finding]:
        raise OSError("no such thing")

    def hanging() -> Iterator[Finding]:
        yield ok("part", "this much is known")
        told.set()
        enough.wait(60)

    try:
        found = side_by_side({"a": broken, "b": hanging, "c": lambda: [ok("", "fine")]}, Patient(), seconds=0.3)
    finally:
        enough.set()
    assert [(item.name, item.status) for item in found] == [
        ("a", FindingStatus.PROBLEM),
        ("part", FindingStatus.OK),
        ("b", FindingStatus.PROBLEM),
        ("c", FindingStatus.OK),
    ]
    assert "OSError: no such thing" in found[0].found
    assert "no answer within 0.3 s" in found[2].found


def test_every_model_probe_and_member_is_examined_by_itself(configure: Configure) -> None:
    config = configure("""
models:
  - {model: a, probes: [{name: p, url: "http://127.0.0.1/p"}, {name: q, url: "http://127.0.0.1/q"}]}
  - {model: b}
alertmanager: {members: ["http://am-0:9093", "http://am-1:9093"]}
""")
    clock = SystemClock()
    names = list(examinations(config, Path("w.yaml"), clock, Offsets(clock)))
    assert {"a: probe p", "a: probe q", "b: server", "alertmanager am-0:9093", "alertmanager am-1:9093"} <= set(names)
    assert names[:2] == ["watchkeeper", "config"]


def test_no_secret_is_shown_whoever_repeats_it(configure: Configure) -> None:
    config = configure("model: a\ndatabase: postgresql+hunter2://me:hunter2@db/w\n")
    found = examine(config, Path("watchkeeper.yaml"), SystemClock())
    said = next(item for item in found if item.name == "database")
    assert said.status is FindingStatus.PROBLEM
    assert "hunter2" not in said.found, "not even where SQLAlchemy quotes it"
