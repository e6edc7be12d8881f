"""What the first lines of a CSV file tell: its separator and its header."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

SEPARATORS = (",", ";", "\t", "|")
ROWS = 200
"""Rows that the separator is found by."""
ALIKE = 0.9
"""The share of them that must have as many cells as the header."""
NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file."""

    separator: str
    names: tuple[str, ...]
    """The header's names as they are written."""
    skipped: int
    """Lines before the header."""


def head(text: str, separator: str | None, whole: bool) -> Head:
    """Read the head of this text, the beginning of a file or all (`whole`) of it. Excel's line `sep=;` before the
    header is obeyed.

    >>> head("age;sum, EUR\\n1;2,5\\n", None, True)
    Head(separator=';', names=('age', 'sum, EUR'), skipped=0)
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0].rstrip("\r")
    skipped = 0
    if first.lower().startswith("sep=") and len(first) == 5:
        text, skipped = text.partition("\n")[2], 1
        separator = separator or first[4]
    if not whole:
        text = text.rpartition("\n")[0] or text
    chosen = separator or _separator(text)
    return Head(chosen, tuple(next(iter(_rows(text, chosen)), [])), skipped)


def first_rows(text: str, found: Head) -> list[list[str]]:
    """Return the rows after the header that have as many cells as it."""
    for _ in range(found.skipped):
        text = text.partition("\n")[2]
    rows = _rows(text.removeprefix("\ufeff"), found.separator)
    return [row for row in rows[1:] if len(row) == len(found.names)]


def _separator(text: str) -> str:
    """The separator that makes most columns; of two that make as many, the one that leaves more numbers whole."""
    found = [
        (len(rows[0]), _numbers(rows), name) for name in SEPARATORS if (rows := _rows(text, name)) and _alike(rows)
    ]
    return max(found, key=lambda one: one[:2], default=(0, 0, ","))[2]


def _numbers(rows: Sequence[Sequence[str]]) -> int:
    return sum(NUMBER.fullmatch(cell.strip()) is not None for row in rows[1:] for cell in row)


def _rows(text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [row for row in itertools.islice(reader, ROWS) if row]
    except csv.Error:  # a cell beyond the module's limit
        return []


def _alike(rows: Sequence[Sequence[str]]) -> bool:
    width = len(rows[0])
    same = sum(len(row) == width for row in rows[1:])
    return width > 1 and same >= ALIKE * (len(rows) - 1)
