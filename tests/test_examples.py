"""Every example in a docstring says what comes out."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = [("checks", ROOT), ("alerts", ROOT), ("monitor", ROOT), ("watchkeeper_client", ROOT / "client")]
SOURCES = {
    ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"): text
    for folder, base in FOLDERS
    for path in sorted((base / folder).rglob("*.py"))
    if ">>> " in (text := path.read_text())
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert (found.failed, found.attempted) == (0, SOURCES[name].count(">>> ")), "each is found, and holds"
