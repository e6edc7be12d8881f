"""Holds a JSON answer against the one that is known to be right. Pure."""

from __future__ import annotations

import json
from typing import Any

_SHOWN = 60


def difference(expected: Any, got: Any, tolerance: float, path: str = "$") -> str | None:
    """The first place where `got` is not what was expected, in one sentence; None where there is none.

    Objects may hold more than was expected, lists may not; numbers may differ by `tolerance`; true is not 1.

    >>> difference({"predictions": [1]}, {"predictions": [0.4], "version": "7"}, 0.01)
    '$.predictions[0]: 0.4 instead of 1'
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        for key, item in expected.items():
            place = path + step(key)
            if key not in got:
                return f"{place} is missing"
            if found := difference(item, got[key], tolerance, place):
                return found
        return None
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{path}: {len(got)} items instead of {len(expected)}"
        for index, (item, other) in enumerate(zip(expected, got, strict=True)):
            if found := difference(item, other, tolerance, f"{path}[{index}]"):
                return found
        return None
    if _same(expected, got, tolerance):
        return None
    return f"{path}: {json_text(got)} instead of {json_text(expected)}"


def step(key: str) -> str:
    """A key as a part of a path.

    >>> step("score"), step("p(late)")
    ('.score', "['p(late)']")
    """
    return f".{key}" if key.isidentifier() else f"[{key[:_SHOWN]!r}]"


def json_text(value: Any) -> str:
    """A JSON value as a message has it: on one line, and short."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _same(expected: Any, got: Any, tolerance: float) -> bool:
    if _is_number(expected) and _is_number(got):
        try:
            return bool(abs(expected - got) <= tolerance)
        except OverflowError:  # a whole number beyond what a float can hold
            return bool(expected == got)
    return type(expected) is type(got) and bool(expected == got)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
