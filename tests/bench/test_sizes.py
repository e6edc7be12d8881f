"""Files and functions stay short enough to be read at once (`make sizes` prints how long they are)."""

from __future__ import annotations

from pathlib import Path
from statistics import median, quantiles

from bench.sizes import PACKAGES, circles, files, floors, functions

ROOT = Path(__file__).parents[2]
ALL = (*PACKAGES, "bench", "client", "docs", "grafana", "tests")
LONGEST_FILE = 400


def test_no_file_is_long() -> None:
    assert {str(path): lines for path, lines in files(ROOT, ALL).items() if lines > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lines = functions(ROOT).values()
    assert median(lines) <= 8
    assert quantiles(lines, n=10)[-1] <= 20


def test_circles_and_floors_are_counted() -> None:
    arrows = {"roof": {"a"}, "a": {"b"}, "b": {"a", "ground"}, "ground": set[str]()}
    assert circles(arrows) == {frozenset({"a", "b"})}
    assert floors(arrows) == 3
