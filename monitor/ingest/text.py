"""Strings from outside: ids, names and values that can be stored and shown."""

from __future__ import annotations

from typing import Any

from monitor.ingest.rejection import BadRow, RejectionReason

ID_LENGTH = 256
NAME_LENGTH = 200
NUL = b"\\u0000"
"""How JSON writes the one character that PostgreSQL's text can't hold."""

SURROGATE = "half of a surrogate pair"
_SHOWN = 60
_TYPES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def type_name(value: Any) -> str:
    return _TYPES.get(type(value), "a number")


def quoted(text: str) -> str:
    """The text quoted and cut, for a message."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def check_id(value: Any) -> None:
    """Raises BadRow unless `value` is a usable id."""
    if value is None or value == "":
        raise BadRow(RejectionReason.MISSING_ID, "no id")
    if not isinstance(value, str):
        raise BadRow(RejectionReason.INVALID_TYPE, f"id is {type_name(value)}; send a string")
    if len(value) > ID_LENGTH:
        raise BadRow(RejectionReason.ID_TOO_LONG, f"id has {len(value)} characters; at most {ID_LENGTH} are taken")
    check_text("id", value)


def check_text(what: str, value: str) -> None:
    """Raises BadRow on what no database or UTF-8 takes: NUL and lone surrogates."""
    if "\0" in value:
        raise BadRow(RejectionReason.INVALID_TEXT, f"{what} holds a NUL character")
    if not value.isascii() and not _encodes(value):
        raise BadRow(RejectionReason.INVALID_TEXT, f"{what} holds {SURROGATE}")


def surrogate_place(row: Any) -> str:
    """Return the key of a row whose name or value, however deep, no UTF-8 takes."""
    for name, value in row.items() if isinstance(row, dict) else ():
        if not _encodes(name):
            return f"the key {quoted(name)}"
        left = [value]
        while left:
            item = left.pop()
            if isinstance(item, str) and not _encodes(item):
                return quoted(name)
            if isinstance(item, dict):
                left += item
                left += item.values()
            elif isinstance(item, list):
                left += item
    return "the row"


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
