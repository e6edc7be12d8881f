"""What commands print: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from checks.one_line import escaped, escaped_lines, one_line


def print_line(text: str) -> None:
    """Print one line; characters that would end it, or reorder it, are written out."""
    print(escaped(text))


def print_json(value: Any) -> None:
    """Print JSON of the same meaning in which nothing reorders or ends a line."""
    print(escaped_lines(json.dumps(value, indent=2, ensure_ascii=False, default=str)))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print left-aligned columns, with a blank for characters that would end a line or reorder it."""
    cells = [[one_line(str("" if cell is None else cell), 120).strip() for cell in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(header), *cells]) for index in range(len(header))]
    for line in [list(header), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
