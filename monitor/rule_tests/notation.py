"""The short way to write a series of values, as promtool has it."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.collectors.server.exposition import number, sample

MOST = 100_000
"""Values that one series may have."""
ERROR = "error"
Value = float | str | None
"""A number; None for nothing measured; ERROR for a measuring that failed."""

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_RISING = re.compile(
    rf"(?P<first>{_NUMBER})(?P<by>[-+](?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)x(?P<more>[0-9]+)"
)
_SAME = re.compile(rf"(?P<value>{_NUMBER})x(?P<more>[0-9]+)")
_NOTHING = re.compile(rf"(?P<what>_|{ERROR})(?:x(?P<times>[0-9]+))?")


class Name(NamedTuple):
    """What a series is called, without the prefix `watchkeeper_`; an empty model is the machine's."""

    metric: str
    model: str
    labels: tuple[tuple[str, str], ...]


def values(text: str) -> list[Value]:
    """The values of a series, one an interval. Raises ValueError with a sentence.

    ``ax3`` is ``a a a a`` and ``a+bx2`` is ``a a+b a+2b``; ``_`` is nothing measured, ``_x3`` three times so (``stale``
    is the same as ``_``), and ``error`` a measuring that failed.

    >>> values("1x2 2-1x2 _x2 stale error NaN")
    [1.0, 1.0, 1.0, 2.0, 1.0, 0.0, None, None, None, 'error', nan]
    """
    found: list[Value] = []
    for item in text.split():
        found += _item(item)
        if len(found) > MOST:
            raise ValueError(f"more than {MOST} values")
    return found


def _item(item: str) -> list[Value]:
    if match := _NOTHING.fullmatch(item):
        return [None if match["what"] == "_" else ERROR] * _count(match["times"] or "1")
    if item == "stale":
        return [None]
    if match := _SAME.fullmatch(item):
        return [float(match["value"])] * (_count(match["more"]) + 1)
    if match := _RISING.fullmatch(item):
        first, by = float(match["first"]), float(match["by"])
        return [first + by * index for index in range(_count(match["more"]) + 1)]
    if (value := number(item)) is None:
        raise ValueError(f"{item!r} is no value; write 1, 1x5, 1+2x5, _, _x5, stale or error")
    return [value]


def _count(text: str) -> int:
    if len(text) > 6 or int(text) > MOST:
        raise ValueError(f"more than {MOST} values")
    return int(text)


def name(text: str) -> Name:
    """The metric, model and labels of ``metric{label="value"}``. Raises ValueError with a sentence."""
    wrong = f"""{text!r} is no series; write metric, or metric{{label="value"}}"""
    if "\n" in text or "#" in text or _is_sample(text):
        raise ValueError(wrong)
    try:
        found = sample(f"{text.strip()} 0")
    except ValueError:
        raise ValueError(wrong) from None
    pairs = {label: value for label, value in found.labels.items() if value}
    model = pairs.pop("model", "")
    return Name(found.name.removeprefix("watchkeeper_"), model, tuple(sorted(pairs.items())))


def _is_sample(text: str) -> bool:
    """Whether a value stands behind the series already."""
    try:
        sample(text.strip())
    except ValueError:
        return False
    return True
