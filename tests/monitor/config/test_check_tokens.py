"""Tokens that let everybody in, or can't be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.load import load

GOOD = "0123456789abcdef"


def said(folder: Path, text: str, **environment: str) -> str:
    """What is wrong with these tokens; nothing where they are taken."""
    (folder / "w.yaml").write_text(f"model: a\ntokens: {text}\n")
    try:
        load(folder / "w.yaml", environment)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["ingest", "admin", "read"])
@pytest.mark.parametrize(
    ("token", "wrong"),
    [
        ("'   '", "is blank, which would let everybody in"),
        ('"\\t\\n"', "is blank"),
        ("''", "is blank"),
        ("'${T}'", "is blank"),
        ("'${T:-  }'", "is blank"),
        ("short", "has 5 characters, blanks around it not counted; at least 16 are needed"),
        ("'  short                 '", "has 5 characters"),
        ("'0123456789 abcdef'", "holds a blank or a character that is not ASCII"),
        ("0123456789abcdeé", "holds a blank or a character that is not ASCII"),
        (GOOD, ""),
        (f"'  {GOOD} '", ""),
        ("'${T:-}'", ""),
    ],
)
def test_a_token_is_checked_as_it_is_compared(tmp_path: Path, name: str, token: str, wrong: str) -> None:
    found = said(tmp_path, f"{{{name}: {token}}}", T=" " if token == "'${T}'" else "")
    assert (f"tokens.{name} {wrong}" in found) if wrong else found == ""


@pytest.mark.parametrize(("text", "wrong"), [("short\n", "has 5 characters"), (f" {GOOD}\n", ""), (" \n", "is empty")])
def test_a_token_of_a_file_is_checked_too(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "token").write_text(text)
    found = said(tmp_path, "{read_file: token}")
    assert wrong in found
    assert bool(found) is bool(wrong)
