"""Order the tests by their files, longest first, so that no process is still at work long after the others.

It goes by the seconds of each test's last run, which pytest's cache keeps, and in a new checkout by the list below.
"""

from __future__ import annotations

from collections import Counter

import pytest

KEY = "watchkeeper/seconds"
LONGEST = (
    "tests/monitor/worker/evaluate/test_replay.py",
    "tests/e2e/test_kill.py",
    "tests/monitor/demo/test_run.py",
    "tests/e2e/test_references.py",
    "tests/e2e/test_replay.py",
    "tests/e2e/test_report.py",
    "tests/monitor/worker/references/test_from_stream.py",
    "tests/survive/test_kill.py",
    "tests/monitor/web/test_ingest.py",
    "tests/survive/test_daemon.py",
    "tests/e2e/test_presets.py",
    "tests/e2e/test_page.py",
    "tests/monitor/worker/upkeep/test_rollup.py",
    "tests/e2e/test_slack.py",
    "tests/e2e/test_segments.py",
    "tests/monitor/cli/doctor/test_command.py",
    "tests/monitor/web/test_server.py",
    "tests/monitor/cli/test_report.py",
    "tests/monitor/worker/test_pool.py",
)


class Order:
    """A plug-in of pytest. Each process has one: all of them must order the tests alike."""

    def __init__(self, config: pytest.Config) -> None:
        self.cache = config.cache
        self.is_worker = hasattr(config, "workerinput")
        self.kept: dict[str, float] = self.cache.get(KEY, {}) if self.cache else {}
        self.seconds: Counter[str] = Counter()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        of_files = Counter({file: 0.001 * place for place, file in enumerate(reversed(LONGEST))})
        for item in items:
            of_files[file_of(item)] += self.kept.get(item.nodeid, 0.0)
        items.sort(key=lambda item: of_files[file_of(item)], reverse=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        if self.cache and not self.is_worker:
            self.cache.set(KEY, self.kept | self.seconds)


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
