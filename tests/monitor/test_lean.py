from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from monitor.lean import bare

SLOW = """
import sys, threading
runs = sys.modules["tests.monitor.test_lean"].ran
runs.append(__name__)
first = 1
threading.Event().wait(0.05)
last = 2
"""
ran: list[str] = []


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "lean_sample"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "slow.py").write_text(SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "tests.monitor.test_lean", sys.modules[__name__])
    ran.clear()
    yield "lean_sample.slow"  # type: ignore[misc]
    for gone in ("lean_sample", "lean_sample.slow"):
        sys.modules.pop(gone, None)


def test_a_bare_module_runs_once_when_somebody_asks_for_something_in_it(name: str) -> None:
    bare(name)
    import lean_sample.slow  # type: ignore[import-not-found]

    assert ran == []
    assert lean_sample.slow.first == 1
    assert lean_sample.slow.last == 2
    assert ran == [name]
    with pytest.raises(AttributeError, match="nothing"):
        _ = lean_sample.slow.nothing


def test_threads_that_ask_at_once_all_get_the_whole_module(name: str) -> None:
    bare(name)
    start, seen = threading.Barrier(4), []

    def ask() -> None:
        start.wait()
        seen.append(sys.modules[name].last)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [2] * 4
    assert ran == [name]
