"""What was logged, as JSON: foreign scalars are converted, and a row that can't be written never costs the others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any, Union

Time = Union[float, int, str, datetime]  # noqa: UP007 - Python 3.9
Row = dict[str, Any]

_NOTHING = ("NAType", "NaTType")
"""pandas' own missing values: they have no JSON, and this package must not import pandas to know them."""


def copied(value: Any) -> Any:
    """A shallow copy of a container, so that the server may go on and change its own."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list):
        return list(value)
    return value


def stamp(time: Time) -> Any:
    """Epoch seconds or RFC 3339 text; a datetime without a zone is taken as UTC."""
    if not isinstance(time, datetime):
        return time
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()  # noqa: UP017 - Python 3.9


def encode(rows: list[Row]) -> tuple[bytes, list[int]]:
    """The rows as a JSON array in UTF-8, and the positions of those that can't be written and are left out.

    NaN and infinities are written as Python writes them; a lone surrogate becomes a question mark.
    """
    try:
        return _text(rows), []
    except Exception:  # noqa: BLE001 - foreign objects convert themselves, and may raise anything: find out which
        pass
    texts, bad = [], []
    for position, row in enumerate(rows):
        try:
            texts.append(_text(_plain(row)))
        except Exception:  # noqa: BLE001 - as above; the row is counted
            bad.append(position)
    return b"[" + b",".join(texts) + b"]", bad


def _text(value: Any) -> bytes:
    text = json.dumps(value, default=_foreign, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _foreign(value: Any) -> Any:
    """A value that json does not know, as one that it does. Raises TypeError when there is none."""
    if type(value).__name__ in _NOTHING:
        return None
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    # numpy, torch and others: an array has both, a scalar of numpy too; its list of no dimension is the scalar.
    for name in ("tolist", "item"):
        method = getattr(value, name, None)
        if callable(method):
            plain = method()
            if plain is not value:
                return plain
    if hasattr(value, "__float__"):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _plain(value: Any) -> Any:
    """The value with every key of every mapping as text: json refuses numpy's integers as keys."""
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return str(_foreign(key)) if not isinstance(key, (int, float, bool, type(None))) else json.dumps(key)
