from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.lazy_import import bare

SLOW = """
import sys
test = sys.modules["tests.monitor.test_lazy_import"]
test.ran.append(__name__)
first = 1
for _ in range(test.THREADS):
    test.asking.acquire(timeout=30)
last = 2
"""
THREADS = 4
ran: list[str] = []
asking = threading.Semaphore(0)
"""One for each thread that is about to ask: the module is half made until all are."""


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    package = tmp_path / "lean_sample"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "slow.py").write_text(SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "tests.monitor.test_lazy_import", sys.modules[__name__])
    ran.clear()
    yield "lean_sample.slow"
    for gone in ("lean_sample", "lean_sample.slow"):
        sys.modules.pop(gone, None)


def test_a_bare_module_runs_once_when_somebody_asks_for_something_in_it(name: str) -> None:
    asking.release(THREADS)
    bare(name)
    module = importlib.import_module(name)
    assert ran == []
    assert (module.first, module.last) == (1, 2)
    assert ran == [name]
    with pytest.raises(AttributeError, match="nothing"):
        _ = module.nothing


def test_threads_that_ask_at_once_all_get_the_whole_module(name: str) -> None:
    bare(name)
    seen = []

    def ask() -> None:
        asking.release()
        seen.append(sys.modules[name].last)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [2] * THREADS
    assert ran == [name]
