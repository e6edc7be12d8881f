"""A measured figure beside its budget."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    what: str
    figure: str
    budget: str
    met: bool | None
    """None where the design sets no budget."""


def markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table; a missed budget says so."""
    verdict = {True: "met", False: "**missed**", None: ""}
    lines = ["| what | measured | budget | |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.figure} | {row.budget} | {verdict[row.met]} |" for row in rows]
    return "\n".join(lines)
