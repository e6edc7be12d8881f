"""What a user may state about CSV files where reading them by themselves would guess wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NULLS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""Cells that pandas' read_csv takes for missing."""
Dates = Literal["day-first", "month-first"]


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """A statement of how a CSV file is written; what is None is found out from the file."""

    separator: str | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    """The character between groups of three digits; empty: there is none."""
    nulls: tuple[str, ...] | None = None
    """Cells that are missing, in every column."""
    dates: Dates | None = None
    """The order of day and month in dates such as 03/12/2026."""
