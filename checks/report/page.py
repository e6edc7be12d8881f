"""A report as one page that stands alone: no script, nothing from elsewhere, light and dark, phone and desktop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from checks.pictures.svg import STYLE, svg
from checks.report.result import ColumnReport, Comparison
from checks.wording import number, percent

DETAILED = 60
"""Columns with a picture; all are in the table."""
CALM = 12
"""And so many where nothing drifted."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_MEASURES = {
    "missing_ratio": "missing",
    "non_finite_ratio": "NaN or infinite",
    "out_of_range_ratio": "out of range",
    "new_category_ratio": "new categories",
    "type_mismatch_ratio": "of another type",
}


def page(report: Comparison) -> str:
    """The whole HTML document."""
    ranked = report.ranked
    drawn = [column for column in ranked if column.distribution is not None]
    worth = [column for column in drawn if column.drifted or column.breaches]
    shown = {
        "report": report,
        "ranked": ranked,
        "detailed": worth[:DETAILED] or drawn[:CALM],
        "beyond": max(0, len(worth) - DETAILED),
        "calm": not worth,
        "style": Markup(STYLE),
    }
    return _environment().get_template("report.html").render(shown)


def verdict(column: ColumnReport) -> tuple[str, str]:
    """In a word, and the class of its colour."""
    if column.drifted:
        return "drifted", "bad"
    if column.breaches:
        return "quality", "warn"
    return ("not compared", "soft") if column.error else ("no drift", "good")


def found(column: ColumnReport) -> str:
    """Value and threshold, as people write them: ``0.93 > 0.1``, ``p = 0.003 < 0.05``."""
    if column.value is None:
        return ""
    value = number(column.value)
    if column.threshold is None:
        return value
    if column.statistic == "p_value":
        return f"p = {value} {'<' if column.drifted else '≥'} {number(column.threshold)}"
    return f"{value} {'>' if column.drifted else '≤'} {number(column.threshold)}"


def quality(column: ColumnReport) -> list[tuple[str, str, bool]]:
    """What of a column's quality is worth a line: measure, figures, whether it is beyond its limit."""
    lines = []
    for name, own in column.quality.items():
        beyond = name in column.breaches
        before = own["reference"] or 0.0
        if not beyond and abs((own["value"] or 0.0) - before) < 0.005:
            continue
        limit = "" if own["limit"] is None else f" (limit {percent(own['limit'])})"
        lines.append((_MEASURES.get(name, name), f"{percent(before)} → {percent(own['value'] or 0.0)}{limit}", beyond))
    return lines


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number,
        "percent": percent,
        "verdict": verdict,
        "found": found,
        "quality": quality,
        "picture": lambda column: Markup(svg(column.distribution)),
    }
    return made


def _shown(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return _CONTROL.sub(" ", value[:500])
    return "" if value is None else value
