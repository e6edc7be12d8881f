"""What the cells of a CSV column that Arrow takes for texts are: numbers as people write them, dates, or texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import string_array
from checks.data.csv_options import CsvOptions, Dates
from checks.data.number_text import CODES, FEWEST, are_numbers

Kind = Literal["text", "number", "whole", "odd", "date", "time", "boolean"]
GROUPS = {".": ", \u00a0\u202f'\u2019", ",": ". \u00a0\u202f'\u2019"}
"""What stands between groups of three digits, by the decimal mark."""
_ANY = r"^\s*[+-]?[.,]?\d|^\s*[+-]?(?i:inf|true|false)"
_WORD = r"^[+-]?(?i:inf|infinity)$"
_WHOLE = r"^[+-]?\d{1,18}$"
_ZEROS = r"^[+-]?0\d+$"
_PLAIN = r"^[+-]?(?:\d+(?:[{0}]\d*)?|[{0}]\d+)(?:[eE][+-]?\d+)?$"
_GROUPED = r"^[+-]?[1-9]\d{{0,2}}(?:[{1}]\d{{3}})+(?:[{0}]\d+)?$"
_COMMA = r"^[+-]?(?:\d*,(?:\d{1,2}|\d{4,})|(?:0\d*|\d{4,})?,\d{3}|[1-9]\d{0,2}(?:[. ]\d{3})+,\d+)$"
"""A comma that is a decimal mark for sure."""
_EITHER = r"^[+-]?[1-9]\d{0,2},\d{3}$"
_BOOLEAN = r"^(?:true|True|TRUE|false|False|FALSE)$"
_DATE = r"^(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./]\d{1,2}[./]\d{1,2})"
_TIMES = {"": "$", " %H:%M": r"[ T]\d{1,2}:\d{2}$", " %H:%M:%S": r"[ T]\d{1,2}:\d{2}:\d{2}$"}
_ORDERS: dict[Dates, str] = {"day-first": "%d-%m-%Y", "month-first": "%m-%d-%Y"}
_CODE = r"^[A-Z]{2}$"
OF_PLAIN = ("plain.", "whole", "zeros", "plain,", "grouped,")
"""Patterns that a number with a point, or without a mark, can fit."""
SCREENED = 1_000  # cells that show whether a column may be numbers or dates at all


@dataclass
class TextCells:
    """Counts over the cells of one column, piece by piece."""

    nulls: pa.Array
    patterns: dict[str, str]
    cells: int = 0
    """Those that hold something."""
    words: Counter[str] = field(default_factory=Counter)
    """Spellings of 'missing', with how often each is there."""
    matches: Counter[str] = field(default_factory=Counter)
    """Cells by the pattern that they fit."""
    few: set[str] | None = field(default_factory=set)
    """The different whole numbers, while they are few."""
    others: dict[str, None] = field(default_factory=dict)
    """Some cells that fit nothing."""
    ends: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """The first and last moment under each order of day and month."""
    example: str = ""
    """A date."""
    screened: bool | None = None
    """Whether it may be numbers or dates at all; None before the first cell."""
    codes: bool = False
    """Two capital letters each."""
    padded: bool = False
    """A blank before each."""

    def add(self, column: pa.Array) -> None:
        missing = pc.is_in(column, value_set=self.nulls)
        if pc.any(missing).as_py():
            counts = pc.value_counts(column.filter(missing))
            self.words.update({item["values"]: item["counts"] for item in counts.to_pylist()})
            column = column.filter(pc.invert(missing))
        self.cells += len(column) - column.null_count
        if self.screened is None and len(column):
            first = column.slice(0, SCREENED)
            self.screened = pc.sum(pc.match_substring_regex(first, _ANY)).as_py() >= len(first) / 2
            self.codes = pc.all(pc.match_substring_regex(first, _CODE)).as_py()
            self.padded = pc.all(pc.starts_with(first, " ")).as_py()
        if self.screened and len(column):
            counted = pc.value_counts(pc.utf8_trim_whitespace(column))
            self._count(counted.field("values"), counted.field("counts"))

    def _count(self, values: pa.Array, counts: pa.Array) -> None:
        plain = pc.match_substring_regex(values, self.patterns["plain."])
        rest = pc.invert(plain)
        self._match(values.filter(plain), counts.filter(plain), OF_PLAIN)
        others = self._match(values.filter(rest), counts.filter(rest), tuple(self.patterns))
        self.others.update(dict.fromkeys(others.slice(0, 5).to_pylist()))
        if self.few is not None and len(self.few) > CODES:
            self.few = None

    def _match(self, values: pa.Array, counts: pa.Array, names: Sequence[str]) -> pa.Array:
        """Counts the cells by the patterns with these names; returns those that fit none."""
        known = pc.is_null(values)
        for name in names:
            found = pc.match_substring_regex(values, self.patterns[name])
            if len(values) == 0 or not pc.any(found).as_py():
                continue
            self.matches[name] += pc.sum(counts.filter(found)).as_py()
            known = pc.or_(known, found)
            if name == "whole" and self.few is not None:
                self.few.update(pc.unique(values.filter(found)).slice(0, CODES + 1).to_pylist())
            if name.startswith("date"):
                self._moments(values.filter(found), name.removeprefix("date"))
        return values.filter(pc.invert(known))

    def _moments(self, values: pa.Array, time: str) -> None:
        self.example = self.example or values[0].as_py()
        for order in _ORDERS:
            moments = moments_of(values, order, time)
            ends = pc.min_max(moments).as_py()
            if moments.null_count:
                self.matches[f"not {order}"] += moments.null_count
            low, high = self.ends.get(order, (ends["min"], ends["max"]))
            if ends["min"] is not None and low is not None:
                self.ends[order] = min(low, ends["min"]), max(high, ends["max"])


def patterns_of(given: CsvOptions) -> dict[str, str]:
    """Return what cells are held against, by name."""
    found = {
        "whole": _WHOLE,
        "zeros": _ZEROS,
        "word": _WORD,
        "comma": _COMMA,
        "either": _EITHER,
        "boolean": _BOOLEAN,
        **{f"plain{mark}": _PLAIN.format(mark) for mark in GROUPS},
        **{f"date{time}": _DATE + end for time, end in _TIMES.items()},
    }
    if given.thousands != "":
        found |= {f"grouped{mark}": _grouped(mark, given) for mark in GROUPS}
    return found


def _grouped(decimal: str, given: CsvOptions) -> str:
    return _GROUPED.format(decimal, re.escape(given.thousands) if given.thousands else GROUPS[decimal])


def moments_of(values: pa.Array | pa.ChunkedArray, order: Dates, time: str) -> pa.Array | pa.ChunkedArray:
    """Return dates as people write them, as timestamps; null for what is none in this order."""
    dashed = pc.replace_substring_regex(values, r"^(\d+)[./](\d+)[./](\d+)[ T]?", r"\1-\2-\3 ")
    dashed = pc.utf8_trim_whitespace(pc.replace_substring_regex(dashed, "T", " "))
    own = pc.strptime(dashed, format=_ORDERS[order] + time, unit="s", error_is_null=True)
    return pc.coalesce(own, pc.strptime(dashed, format="%Y-%m-%d" + time, unit="s", error_is_null=True))


@dataclass(frozen=True, slots=True)
class CellPlan:
    """A plan of how the cells of one column are read."""

    kind: Kind
    nulls: tuple[str, ...] = ()
    decimal: str = "."
    groups: str = ""
    """What may stand between groups of digits."""
    time: str = ""
    order: Dates = "day-first"
    padded: bool = False
    note: str = ""
    """What a user should know of it, without the column's name; empty where nothing was decided."""

    def read(self, column: pa.Array) -> pa.Array:
        """Return the cells as they are meant."""
        if self.padded or self.kind != "text":
            column = pc.utf8_trim_whitespace(column)
        if self.nulls:
            missing = pc.is_in(column, value_set=string_array(self.nulls))
            column = pc.if_else(missing, pa.nulls(len(column), pa.string()), column)
        if self.kind in ("number", "whole", "odd"):
            return self._numbers(column)
        if self.kind == "date":
            return pc.cast(moments_of(column, self.order, self.time), pa.date32())
        if self.kind == "time":
            return moments_of(column, self.order, self.time)
        return pc.match_substring_regex(column, "^[tT]") if self.kind == "boolean" else column

    def _numbers(self, column: pa.Array) -> pa.Array:
        plain = column
        for mark in self.groups:
            plain = pc.replace_substring(plain, mark, "")
        plain = pc.replace_substring_regex(pc.replace_substring(plain, self.decimal, "."), r"^\+", "")
        if self.kind == "whole":
            return pc.cast(plain, pa.int64())
        if self.kind == "number":
            return pc.cast(plain, pa.float64())
        patterns = [_PLAIN.format(self.decimal), _WORD]
        patterns += [_GROUPED.format(self.decimal, re.escape(self.groups))] if self.groups else []
        fits = pc.match_substring_regex(column, "|".join(patterns))
        return pc.if_else(fits, plain, column)

    @property
    def type(self) -> pa.DataType:
        return {
            "text": pa.string(), "odd": pa.string(), "number": pa.float64(), "whole": pa.int64(),
            "date": pa.date32(), "time": pa.timestamp("s"), "boolean": pa.bool_(),
        }[self.kind]  # fmt: skip


def decimal_of(columns: Sequence[TextCells], given: CsvOptions, separator: str, points: bool) -> str:
    """Return the decimal mark of a file with these columns of texts; `points`: some column holds numbers with a
    point."""
    if given.decimal:
        return given.decimal
    numeric = [own for own in columns if are_numbers(_fit(own, ","), own.cells - _fit(own, ","), None)]
    if any(own.matches["comma"] > own.matches["grouped."] - own.matches["either"] for own in numeric):
        return ","
    clear = points or any(own.matches["grouped."] > own.matches["either"] for own in columns)
    # Of 1,234 alone nobody can tell; where cells are kept apart by semicolons, the comma is the decimal mark.
    return "," if separator == ";" and not clear and any(own.matches["either"] for own in numeric) else "."


def plan_of(own: TextCells, given: CsvOptions, decimal: str, padded: bool) -> CellPlan:
    """Return how one column of texts is read; `padded`: its name has blanks around it."""
    nulls = _nulls(own, given)
    told = _missing_note(own, nulls)
    text = CellPlan("text", nulls, padded=padded and own.padded, note=told)
    if not own.screened:
        return text
    zeros = own.matches["zeros"]
    if zeros and _fit(own, decimal) >= FEWEST * own.cells:
        return replace(text, note=_joined("texts, since some begin with 0", told))
    for mark in (decimal, *(other for other in GROUPS if other != decimal and not given.decimal)):
        if (plan := _numeric(own, nulls, given, mark, told)) is not None:
            return plan
    if own.matches["boolean"] == own.cells:
        return CellPlan("boolean", nulls, note=told)
    return _moments(own, nulls, given, told) or text


def _fit(own: TextCells, decimal: str) -> int:
    """How many cells are numbers with this decimal mark."""
    return own.matches[f"plain{decimal}"] + own.matches[f"grouped{decimal}"] + own.matches["word"]


def _numeric(own: TextCells, nulls: tuple[str, ...], given: CsvOptions, decimal: str, told: str) -> CellPlan | None:
    numbers, grouped = _fit(own, decimal), own.matches[f"grouped{decimal}"]
    odd = own.cells - numbers
    few = len(own.few) if own.few is not None and numbers == own.matches["whole"] else None
    if not are_numbers(numbers, odd, few):
        return None
    kind: Kind = "odd" if odd else "whole" if numbers == own.matches["whole"] else "number"
    notes = [told]
    if odd:
        other = next(iter(own.others), "?")
        are = "cell is" if odd == 1 else "cells are"
        notes.insert(0, f"numbers, but {odd:,} {are} none, of {own.cells:,} ({other[:40]!r})")
    if grouped:
        notes.append("numbers with thousands separators")
    groups = (given.thousands or GROUPS[decimal]) if grouped else ""
    return CellPlan(kind, nulls, decimal, groups, note=_joined(*notes))


def _moments(own: TextCells, nulls: tuple[str, ...], given: CsvOptions, told: str) -> CellPlan | None:
    time = next((time for time in _TIMES if own.matches[f"date{time}"] == own.cells), None)
    if time is None:
        return None
    fit = [order for order in _ORDERS if not own.matches[f"not {order}"]]
    if given.dates:
        fit = [given.dates]
    if not fit:
        return None
    # Where both orders fit, data of one stretch of time are likelier than data strewn over the year.
    order = min(fit, key=lambda name: own.ends[name][1] - own.ends[name][0])
    note = f"dates, {order}"
    if len(fit) > 1 and own.ends[fit[0]] != own.ends[fit[1]]:
        note += f", which is a guess (as in {own.example!r}): state csv.dates"
    kind: Kind = "time" if time else "date"
    return CellPlan(kind, nulls, time=time, order=order, note=_joined(note, told))


def _nulls(own: TextCells, given: CsvOptions) -> tuple[str, ...]:
    """The spellings of 'missing' of this column: as pandas reads them, but NA among codes of two letters, where it is
    one more code (of Namibia)."""
    keep = given.nulls is None and own.codes
    return tuple(word for word in own.words if not (keep and word == "NA"))


def _missing_note(own: TextCells, nulls: tuple[str, ...]) -> str:
    named = [f"{word!r} ({own.words[word]:,})" for word in nulls if word]
    kept = [f"{word!r} ({own.words[word]:,})" for word in own.words if word not in nulls]
    notes = [f"missing where it says {', '.join(named)}"] if named else []
    return _joined(*notes, f"{', '.join(kept)} kept as text" if kept else "")


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)
