"""A report as a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts.wording import clean
from checks.report.page import found, quality, verdict
from checks.report.result import ColumnReport, Comparison
from checks.wording import percent

SHOWN = 40  # columns with nothing to tell beyond which the rest is left out
PIPED = 160  # characters of a line where there is no terminal
_STYLES = {"bad": "bold red", "warn": "yellow", "soft": "dim", "good": "green"}


def print_report(report: Comparison) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED)
    ranked = report.ranked
    told = sum(1 for column in ranked if column.drifted or column.breaches or column.error)
    shown = ranked[: max(told, SHOWN)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("COLUMN", "VERDICT", "METHOD"):
        table.add_column(name, no_wrap=name != "COLUMN", overflow="fold")
    table.add_column("VALUE", no_wrap=True)
    table.add_column("MISSING", no_wrap=True)
    table.add_column("WHAT MOVED", overflow="fold", ratio=1)
    for column in shown:
        table.add_row(*_row(column))
    console.print(table)
    if len(ranked) > len(shown):
        console.print(Text(f"and {len(ranked) - len(shown):,} more without drift", "dim"))
    for side in (report.reference, report.current):
        for note in side.read:
            console.print(Text(clean(f"{side.name}: {note}", 300), "dim"))
    for note in report.notes:
        console.print(Text(clean(note), "dim"))
    console.print(_summary(report))


def _row(column: ColumnReport) -> list[Text]:
    word, colour = verdict(column)
    missing = column.missing
    told = [column.error or "", column.why]
    told += [f"{name} {figures}" for name, figures, beyond in quality(column) if beyond and name != "missing"]
    told += column.notes
    cells = [
        (column.name, ""),
        (word, _STYLES[colour]),
        ((column.method or "") if column.value is not None else "", ""),
        (found(column), ""),
        (f"{percent(missing['reference'])} → {percent(missing['current'])}" if missing else "", ""),
        ("; ".join(part for part in told if part), ""),
    ]
    # Names from data are no markup, and hold no control characters.
    return [Text(clean(text, 300), style) for text, style in cells]


def _summary(report: Comparison) -> Text:
    drifted = sum(bool(column.drifted) for column in report.columns)
    parts = [f"{drifted} of {len(report.measured)} columns drifted ({report.preset} limits)"]
    if report.breached:
        parts.append(f"{len(report.breached)} beyond a quality limit")
    if failed := len(report.columns) - len(report.measured):
        parts.append(f"{failed} not compared")
    if report.excluded:
        names = ", ".join(f"{clean(name, 60)} ({clean(why, 80)})" for name, why in report.excluded[:6])
        more = f" and {len(report.excluded) - 6} more" if len(report.excluded) > 6 else ""
        parts.append(f"left out: {names}{more}")
    return Text("; ".join(parts), "bold red" if drifted else "bold")
