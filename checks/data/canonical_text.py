"""One spelling for each value: the text of categories, classes and labels, whatever type they come in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

EXACT = 2.0**53  # the largest float up to which every whole number is one

_SAME = {"true": ("1", "True", "TRUE"), "false": ("0", "False", "FALSE")}


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
