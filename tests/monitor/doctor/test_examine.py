"""The examinations together: none holds up another, and one that raises is a finding."""

from __future__ import annotations

import threading

from monitor.clock import SystemClock
from monitor.doctor.examine import examine
from monitor.doctor.finding import Finding, Status, ok


def test_findings_come_in_the_order_of_their_examinations() -> None:
    found = examine({"b": lambda: [ok("", "fine")], "a": lambda: [ok("other", "well")]}, SystemClock())
    assert found == [Finding("b", Status.OK, "fine"), Finding("other", Status.OK, "well")]


def test_what_raises_or_hangs_is_a_problem_of_its_own() -> None:
    enough = threading.Event()

    def broken() -> list[Finding]:
        raise OSError("no such thing")

    def hanging() -> list[Finding]:
        enough.wait(30)
        return []

    try:
        found = examine({"a": broken, "b": hanging, "c": lambda: [ok("", "fine")]}, SystemClock(), seconds=0.3)
    finally:
        enough.set()
    assert [(item.name, item.status) for item in found] == [
        ("a", Status.PROBLEM),
        ("b", Status.PROBLEM),
        ("c", Status.OK),
    ]
    assert "OSError: no such thing" in found[0].found
    assert "no answer within 0.3 s" in found[1].found
