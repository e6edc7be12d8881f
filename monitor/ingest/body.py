"""From the bytes of a request to rows: an array, one object or a line each, gzip or plain."""

from __future__ import annotations

import json
import zlib
from typing import Any, Generic, TypeVar

import msgspec

from monitor.ingest.rejection import BadRow, Malformed, Reason, Rejections, TooLarge

ARRAY_TYPE = "application/json"
LINES_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
MEDIA_TYPES = LINES_TYPES | {ARRAY_TYPE}
_BLANK = b" \t\r\n"
_INT_DIGITS = 18
_GZIP = 31

Row = TypeVar("Row")


def media_type(content_type: str) -> str:
    """The type without its parameters.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding; never more than `limit` bytes. Raises Malformed and TooLarge."""
    if encoding in ("", "identity"):
        plain = body
    elif encoding in ("gzip", "x-gzip"):
        plain = _gunzip(body, limit)
    else:
        raise Malformed(f"Content-Encoding {encoding!r} is not supported; send gzip or nothing")
    if len(plain) > limit:
        raise TooLarge(f"the body is over limits.body_bytes ({limit} bytes); send smaller batches")
    return plain


def _gunzip(body: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise Malformed(f"the body is not gzip as its Content-Encoding says: {error}") from None
    if len(plain) <= limit and not stream.eof:
        raise Malformed("the gzip body ends too early")
    return plain


class Decoder(Generic[Row]):
    """Decodes rows of one Struct type: all at once when all are good, else one by one."""

    def __init__(self, row: type[Row]) -> None:
        self._row = row
        self._many: msgspec.json.Decoder[list[Row]] = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[Row] = msgspec.json.Decoder(row)

    def fast(self, body: bytes, media: str) -> list[Row] | None:
        """Every row by one decode, or None when any of them (or the body) needs a closer look."""
        first = body.lstrip(_BLANK)[:1] if body[:1] not in (b"[", b"{") else body[:1]
        try:
            if first == b"[":
                return self._many.decode(body)
            if first == b"{":
                return self._one.decode_lines(body) if media in LINES_TYPES else [self._one.decode(body)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        return None

    def convert(self, value: Any) -> Row:
        """One row from plain Python values. Raises msgspec.ValidationError."""
        return msgspec.convert(value, self._row)


UNREADABLE = object()
"""Stands where a line is no JSON; its rejection is noted already."""


def values(body: bytes, media: str, rejections: Rejections) -> list[Any]:
    """Every row as plain Python values, NaN and Infinity included. Raises Malformed."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    stripped = text.strip()
    if not stripped:
        raise Malformed("the body is empty; send a JSON array, an object, or an object a line")
    if stripped[0] not in "[{":
        raise Malformed("the body must be a JSON array, an object, or an object a line")
    if stripped[0] == "[" or media not in LINES_TYPES:
        try:
            whole = _loads(text)
        except json.JSONDecodeError as error:
            if stripped[0] == "[" or not error.msg.startswith("Extra data"):
                raise Malformed(
                    f"malformed JSON: {error.msg} at line {error.lineno} column {error.colno} (char {error.pos})"
                ) from None
        else:
            return whole if isinstance(whole, list) else [whole]
    return _lines(text, rejections)


def _lines(text: str, rejections: Rejections) -> list[Any]:
    rows: list[Any] = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            rows.append(_loads(line))
        except json.JSONDecodeError as error:
            detail = f"malformed JSON: {error.msg} at column {error.colno}"
            rejections.add(len(rows), BadRow(Reason.INVALID_JSON, detail))
            rows.append(UNREADABLE)
    if all(row is UNREADABLE for row in rows):
        raise Malformed(f"no line of the body is JSON; the first: {rejections.listed[0].detail}")
    return rows


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_int)
    except RecursionError:
        raise Malformed("the JSON is nested too deeply") from None


def _int(digits: str) -> int | float:
    # Beyond 64 bits nothing downstream can hold it exactly; int() of very long digits is refused by Python.
    return int(digits) if len(digits) <= _INT_DIGITS else _wide(digits)


def _wide(digits: str) -> int | float:
    if len(digits) > _INT_DIGITS + 2:
        return float(digits)
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else float(value)
