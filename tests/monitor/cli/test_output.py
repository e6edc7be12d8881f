"""What commands print: names from data can't begin a line, reorder it or change JSON's meaning."""

from __future__ import annotations

import json

import pytest

from monitor.cli.output import print_json, print_line, print_table

NAME = "a\nFAKE\u2028b\u202ec\x85"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_line(f"feature {NAME}")
    print_table(("NAME", "N"), [(NAME, 1)])
    print_json({NAME: NAME})
    return capsys.readouterr().out.splitlines()


def test_each_line_is_one_whatever_name_is_in_it(printed: list[str]) -> None:
    assert printed[0] == "feature a\\nFAKE\\u2028b\\u202ec\\u0085"
    assert printed[2].split() == ["a", "FAKE", "b", "c", "1"]
    assert len(printed) == 6 and json.loads("".join(printed[3:])) == {NAME: NAME}
