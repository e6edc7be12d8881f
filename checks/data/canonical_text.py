"""One spelling for each value: the text of categories, classes and labels, whatever type they come in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

EXACT = 2.0**53  # the largest float up to which every whole number is one

_SAME = {"true": ("1", "True", "TRUE"), "false": ("0", "False", "FALSE")}
BOOLEANS = {word: name for name, words in _SAME.items() for word in (name, *words[1:])}
"""How true and false are written as texts, and their one spelling."""


def text(value: Any) -> str:
    """The value's one spelling: whole floats as integers, booleans in lower case.

    >>> text(3), text(3.0), text(True), text("3.0"), text(0.5)
    ('3', '3', 'true', '3.0', '0.5')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= EXACT else repr(value)
    return str(value)


def read_number(value: Any) -> float | None:
    """Return the number that a value is or writes out; None for all else. Booleans are 1 and 0.

    >>> read_number(" 12.5 "), read_number(True), read_number("1_000"), read_number("many")
    (12.5, 1.0, None, None)
    """
    if (isinstance(value, str) and "_" in value) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def in_order(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the distinct values of a column in their one spelling, ordered as `numpy.unique` orders them and so as
    scikit-learn's `classes_` are: numbers by value, texts by code point, False before True.

    >>> in_order([10, 2, 1.0]), in_order(["10", "2"]), in_order([True, False])
    (('1', '2', '10'), ('10', '2'), ('false', 'true'))
    """
    kept = [value for value in values if value == value]  # no NaN
    by_value = not any(isinstance(value, str) for value in kept)
    return tuple(dict.fromkeys(map(text, sorted(kept) if by_value else sorted(map(text, kept)))))


def spellings(classes: Iterable[str]) -> dict[str, str]:
    """Other spellings of these classes → the class: `1`, `1.0`, `True` and `true` are one, unless two are classes.

    >>> spellings(["0", "1"])["true"], spellings(["true", "false"])["1"]
    ('1', 'true')
    """
    known = set(classes)
    found: dict[str, str] = {}
    for name in known:
        for group in _SAME.items():
            words = {group[0], *group[1]}
            if name in words:
                found.update(dict.fromkeys(words | {f"{word}.0" for word in words if word.isdigit()}, name))
        if name.lstrip("-").isdigit():
            found.setdefault(f"{name}.0", name)
    return {word: name for word, name in found.items() if word not in known}
