"""Order the tests' files, longest first, so that no process ends long after the others.

It goes by the seconds of the files' last run, which pytest's cache keeps, and without one by the list below.
"""

from __future__ import annotations

from collections import Counter

import pytest

KEY = "watchkeeper/seconds"
LONGEST = (
    "tests/monitor/demo/test_run.py",
    "tests/e2e/test_kill.py",
    "tests/e2e/test_references.py",
)


class Order:
    """A plug-in of pytest, in each process: all of them must order the tests alike."""

    def __init__(self, cache: pytest.Cache) -> None:
        self.cache = cache
        self.kept: dict[str, float] = cache.get(KEY, {})
        self.seconds: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        guessed = {file: 1e6 - place for place, file in enumerate(LONGEST)}
        seconds = self.kept or guessed
        items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[file_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        self.cache.set(KEY, self.kept | self.seconds)


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
