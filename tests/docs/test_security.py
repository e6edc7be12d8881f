"""Each threat of the security page has a defence and a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    if not name:
        return (ROOT / path).exists()
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def test_each_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(test[\w/.]*(?:::\w+)?)`", PAGE)
    assert not [test for test in named if not test.startswith("tests/")], "write the whole path"
    assert not [test for test in named if not exists(test)]


def test_each_threat_has_a_defence_and_a_test() -> None:
    table = PAGE.partition("| threat | defence | test |")[2].partition("\n\n")[0].strip().splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table]
    assert len(rows) > 30
    for row in rows:
        assert len(row) == 3 and all(row), row
        assert re.fullmatch(r"`tests/[\w/.:]+`(, `tests/[\w/.:]+`)*", row[2]), row
