from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.order import KEY, LONGEST

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parent.parent
CONFTEST = """
from tests.order import Order
def pytest_configure(config):
    config.pluginmanager.register(Order(config))
"""


def test_the_longest_files_are_there() -> None:
    assert [file for file in LONGEST if not (ROOT / file).exists()] == []


def test_files_that_took_long_are_run_first_the_next_time(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_a="def test_1(): pass\ndef test_2(): pass", test_b="def test_3(): pass")
    a_then_b = ["test_a.py::test_1", "test_a.py::test_2", "test_b.py::test_3"]
    assert order_of(pytester) == a_then_b
    kept = pytester.path / ".pytest_cache" / "v" / KEY
    assert list(json.loads(kept.read_text())) == a_then_b
    kept.write_text(json.dumps({"test_a.py::test_2": 5.0, "test_b.py::test_3": 9.0}))
    assert order_of(pytester) == ["test_b.py::test_3", "test_a.py::test_1", "test_a.py::test_2"]


def order_of(pytester: pytest.Pytester) -> list[str]:
    ran = pytester.inline_run("-p", "no:faker")
    return [report.nodeid for report in ran.getreports("pytest_runtest_logreport") if report.when == "call"]
