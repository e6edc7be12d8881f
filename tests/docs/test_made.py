"""Pages that are made from the code are as the code is now."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from docs.make import cli, configuration, metrics, roles
from monitor.config.json_schema import json_schema


@pytest.mark.parametrize("page", [cli, configuration, metrics, roles], ids=lambda page: page.__name__)
def test_a_page_is_fresh(page: ModuleType) -> None:
    assert page.OUT.read_text("utf-8") == page.text(), "run: make docs"


def test_every_setting_has_a_description() -> None:
    def undescribed(where: str, node: dict[str, Any]) -> Iterator[str]:
        for form in (node, *node.get("anyOf", ())):
            for key, value in form.get("properties", {}).items():
                if not value.get("description"):
                    yield f"{where}.{key}"

    schema = json_schema()
    parts = {"": schema, **schema["$defs"]}
    missing = [key for where, node in parts.items() for key in undescribed(where, node)]
    assert not missing, "write a docstring below the setting"


def test_a_setting_stands_with_its_type_default_and_text() -> None:
    page = configuration.text()
    assert "| `every` | time | `1h` | Length of a window" in page
    assert "| `coverage` | number > 0, ≤ 1 | `0.95` | Share of labels" in page
    assert '| `time` | `live`, `replay` | `"live"` |' in page
    assert "| `token` | text, secret |  | The bot" in page
