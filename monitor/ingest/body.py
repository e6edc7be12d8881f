"""From the bytes of a request to rows: an array, one object or a line each, gzip or plain.

A large body is decoded in slabs of rows: a parser holds Python's lock for as long as one call lasts, and what it builds
is many times what it reads. A slab starts at a row and is tried up to a seam, a place that looks like the end of a row.
When it decodes, the seam was one: the parser came to it between two rows. If not, its rows are read one by one.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from monitor.ingest.expected import note_keys
from monitor.ingest.rejection import BadRow, Malformed, RejectionReason, TooLarge
from monitor.ingest.text import SURROGATE, surrogate_place

ARRAY_TYPE = "application/json"
LINES_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
MEDIA_TYPES = LINES_TYPES | {ARRAY_TYPE}
WHOLE_BYTES = 256 << 10
"""Bodies up to this size are decoded at once: a few milliseconds."""
SLAB_BYTES = 64 << 10
ROW_BYTES = 1 << 20
"""The values of a row that is longer than this are counted before any is built."""
ROW_VALUES = 200_000
"""Values, keys' separators and brackets of one row; beyond, nothing that is taken can be meant."""
_TOGETHER = 1000
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_INT_DIGITS = 18
_GZIP = 31
_WINDOW = 64 << 10
GZIP_MEMBERS = 10_000
"""Members of a gzip body: each costs a decoder."""
_SEAM = re.compile(rb"\}[ \t\r\n]*+,[ \t\r\n]*+(?=\{)")
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*+")
_SPACE_BYTES = re.compile(rb"[ \t\r\n]*+")
_UNFIT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

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
    """All members, one after the other (RFC 1952, 2.2). Zeros that fill up the end are no data, as for gzip(1)."""
    parts: list[bytes] = []
    size = at = members = 0
    while size <= limit:
        stream, start = zlib.decompressobj(_GZIP), at
        while not stream.eof and at < len(body) and size <= limit:
            # A window at a time: what is left behind a member's end is copied.
            window = body[at : at + _WINDOW]
            try:
                parts.append(stream.decompress(window, limit + 1 - size))
            except zlib.error as error:
                raise Malformed(_no_gzip(error, start)) from None
            size += len(parts[-1])
            at += len(window) - len(stream.unused_data)
        if size <= limit and not stream.eof:
            raise Malformed("the gzip body ends too early")
        members += 1
        if at == len(body) or (body[at] == 0 and not body[at:].strip(b"\0")):
            break
        if members == GZIP_MEMBERS:
            raise TooLarge(f"the gzip body has over {GZIP_MEMBERS} members; send fewer in one body")
    return b"".join(parts)


def _no_gzip(error: zlib.error, start: int) -> str:
    if start and "incorrect header check" in str(error):
        return f"behind the end of the gzip body, at byte {start}, stands what is no gzip"
    return f"the body is not gzip as its Content-Encoding says: {error}"


class _Forms(Generic[Row]):
    """The decoders of one type of row."""

    def __init__(self, row: type[Row]) -> None:
        self._many: msgspec.json.Decoder[list[Row]] = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[Row] = msgspec.json.Decoder(row)

    def decode(self, body: bytes, form: str) -> list[Row]:
        """All rows of an array, an object, or an object a line. Raises what `_UNFIT` names."""
        if form == "array":
            return self._many.decode(body)
        return self._one.decode_lines(body) if form == "lines" else [self._one.decode(body)]


class Decoder(Generic[Row]):
    """Decodes rows of one Struct type: all at once when all are good, else one by one."""

    def __init__(self, row: type[Row], strict: type[Row]) -> None:
        """`strict` is the type that refuses unknown keys: it costs nothing where there are none."""
        self._row = row
        self._strict, self._lenient, self._plain = _Forms(strict), _Forms(row), _Forms(dict[str, msgspec.Raw])
        self.keys = frozenset(row.__struct_fields__)  # type: ignore[attr-defined]

    def _rows(self, body: bytes, form: str, unknown: Counter[str]) -> list[Row]:
        """All rows by one decode; keys that the type lacks are counted. Raises what `_UNFIT` names."""
        try:
            return self._strict.decode(body, form)
        except msgspec.ValidationError as error:
            if "unknown field" not in str(error):
                raise
        rows = self._lenient.decode(body, form)
        for row in self._plain.decode(body, form):
            note_keys(unknown, row.keys() - self.keys)
        return rows

    def fast(self, body: bytes, media: str, unknown: Counter[str]) -> list[Row] | None:
        """Every row by one decode, or None when any of them (or the body, or its size) needs a closer look. Unknown
        keys are counted in `unknown`."""
        if len(body) > WHOLE_BYTES:
            return None
        first = body.lstrip(_BLANK)[:1] if body[:1] not in (b"[", b"{") else body[:1]
        try:
            if first == b"[":
                return self._rows(body, "array", unknown)
            if first == b"{":
                return self._rows(body, "lines" if media in LINES_TYPES else "object", unknown)
        except _UNFIT:
            pass
        return None

    def convert(self, value: Any) -> Row:
        """One row from plain Python values. Raises msgspec.ValidationError and BadRow."""
        try:
            return msgspec.convert(value, self._row)
        except UnicodeEncodeError:
            raise BadRow(RejectionReason.INVALID_TEXT, f"{surrogate_place(value)} holds {SURROGATE}") from None
        except RecursionError:
            raise BadRow(RejectionReason.INVALID_TYPE, _DEEP) from None

    def pieces(self, body: bytes, media: str, unknown: Counter[str]) -> Iterator[list[Row] | list[Any]]:
        """Every row in order, some at a time: as rows where all of a piece fit the type, else as plain values with NaN
        and Infinity, and BadRow in place of a line that is no JSON. Raises Malformed and TooLarge."""
        body = body.removeprefix(_BOM)
        start = _past_space(body, 0)
        first = body[start : start + 1]
        if first == b"[":
            yield from self._array(body, start + 1, unknown)
        elif first != b"{":
            _text(body, 0, len(body))
            kind = "is empty; send" if not first else "must be"
            raise Malformed(f"the body {kind} a JSON array, an object, or an object a line")
        elif media in LINES_TYPES:
            yield from self._lines(body, unknown)
        else:
            yield from self._object(body, start, unknown)

    def _array(self, body: bytes, at: int, unknown: Counter[str]) -> Iterator[list[Row] | list[Any]]:
        last = len(body.rstrip(_BLANK)) - 1
        last = last if body[last] == ord("]") and last >= at else len(body)
        at, size = _past_space(body, at), SLAB_BYTES
        if at == last < len(body):
            return
        while True:
            seam = _SEAM.search(body, at + size, min(last, at + ROW_BYTES))
            end, sure = (seam.start() + 1, False) if seam else (last, True)
            if end - at > ROW_BYTES:
                end = min(_rows_end(body, at, SLAB_BYTES), last)
            try:
                yield self._rows(b"".join((b"[", body[at:end], b"]")), "array", unknown)
            except _UNFIT:
                done = yield from _one_by_one(body, at, end, sure)
            else:
                done = end
            if done < end:
                size = SLAB_BYTES if done > at else size * 4
                at = done
                continue
            end = _past_space(body, end)
            if end >= last:
                break
            if body[end] != ord(","):
                raise _malformed(body, end, _instead(_text(body, end, len(body)), 0))
            at, size = _past_space(body, end + 1), SLAB_BYTES
        if last == len(body):
            raise _malformed(body, last, _instead("", 0))

    def _object(self, body: bytes, at: int, unknown: Counter[str]) -> Iterator[list[Row] | list[Any]]:
        if len(body) > ROW_BYTES:
            _rows_end(body, at)
        try:
            rows = self._rows(body, "object", unknown)
        except _UNFIT:
            pass
        else:
            yield rows
            return
        text = _text(body, 0, len(body))
        try:
            value, end = _scan(text, at)
        except json.JSONDecodeError as error:
            raise _malformed(body, 0, error) from None
        if _past(text, end) < len(text):
            yield from self._lines(body, unknown)
        else:
            yield [value]

    def _lines(self, body: bytes, unknown: Counter[str]) -> Iterator[list[Row] | list[Any]]:
        at, readable, worst = 0, False, ""
        while at < len(body):
            end = _line_end(body, at + SLAB_BYTES)
            if end - at > ROW_BYTES:
                end = _line_end(body, at)
                if end - at > ROW_BYTES:
                    _rows_end(body, at)
            try:
                rows = self._rows(body[at:end], "lines", unknown)
            except _UNFIT:
                values = list(map(_line, filter(_is_written, _text(body, at, end).split("\n"))))
                bad = [value for value in values if isinstance(value, BadRow)]
                readable |= len(bad) < len(values)
                worst = worst or next((row.detail for row in bad), "")
                yield values
            else:
                readable |= bool(rows)
                yield rows
            at = end
        if not readable:
            raise Malformed(f"no line of the body is JSON; the first: {worst}")


def _one_by_one(body: bytes, start: int, end: int, sure: bool) -> Generator[list[Any], None, int]:
    """The rows of a slab; returns up to where: short of `end` when it is no seam, unless that is `sure`."""
    text, at = _text(body, start, end), 0
    values: list[Any] = []
    while True:
        try:
            value, past = _scan(text, at)
            past = _past(text, past)
            if past < len(text) and text[past] != ",":
                raise _instead(text, past)
        except json.JSONDecodeError as error:
            if sure:
                raise _malformed(body, start, error) from None
            break
        values.append(value)
        if past == len(text):
            yield values
            return end
        at = _past(text, past + 1)
        if len(values) == _TOGETHER:
            yield values
            values = []
    if values:
        yield values
    return start + len(text[:at].encode())


def _instead(text: str, at: int) -> json.JSONDecodeError:
    """What is wrong with a text that has no comma at `at`, after a row."""
    if text[at : at + 1] == "]":
        return json.JSONDecodeError("Extra data", text, _past(text, at + 1))
    return json.JSONDecodeError("Expecting ',' delimiter", text, at)


def _rows_end(body: bytes, start: int, least: int = 0) -> int:
    """Where the row ends that reaches `least` bytes beyond `start`, found without building anything; short of it, the
    body's end. Raises TooLarge for a row that would build too much."""
    depth = count = 0
    for token in _TOKEN.finditer(body, start):
        mark = body[token.start()]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
        if depth < 0 or (depth == 0 and mark == ord(",") and token.start() - start >= least):
            return token.start()
        if depth == 0 and mark != ord('"'):
            if mark in b"}]" and token.end() - start >= least:
                return token.end()
            count = 0
        count += 1
        if count > ROW_VALUES:
            raise TooLarge(f"a row of the body has over {ROW_VALUES} values, more than any limit; send smaller rows")
    return len(body)


def _line_end(body: bytes, at: int) -> int:
    """Past the first line's end at or after `at`."""
    return body.find(b"\n", at) + 1 or len(body)


def _is_written(line: str) -> bool:
    """Whether a line holds more than what JSON takes for blanks."""
    return bool(line.strip(" \t\r"))


def _line(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_int)
    except json.JSONDecodeError as error:
        return BadRow(RejectionReason.INVALID_JSON, f"malformed JSON: {error.msg} at column {error.colno}")
    except RecursionError:
        raise Malformed(_DEEP) from None


def _text(body: bytes, start: int, end: int) -> str:
    try:
        return body[start:end].decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: {error.reason} at byte {start + error.start}") from None


def _malformed(body: bytes, start: int, error: json.JSONDecodeError) -> Malformed:
    """What the error says, at its place in the whole body; the slab that it is about begins at byte `start`."""
    text = _text(body, 0, len(body))
    place = json.JSONDecodeError(error.msg, text, len(body[:start].decode()) + error.pos)
    return Malformed(f"malformed JSON: {place.msg} at line {place.lineno} column {place.colno} (char {place.pos})")


def _past_space(body: bytes, at: int) -> int:
    match = _SPACE_BYTES.match(body, at)
    return match.end() if match else at


def _past(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _int(digits: str) -> int | float:
    # Beyond 64 bits nothing downstream can hold it exactly; int() of very long digits is refused by Python.
    return int(digits) if len(digits) <= _INT_DIGITS else _wide(digits)


def _wide(digits: str) -> int | float:
    if len(digits) > _INT_DIGITS + 2:
        return float(digits)
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else float(value)


_raw_decode = json.JSONDecoder(parse_int=_int).raw_decode
_DEEP = "the JSON is nested too deeply"


def _scan(text: str, at: int) -> tuple[Any, int]:
    """The value that starts at `at`, and where it ends. Raises json.JSONDecodeError and Malformed."""
    try:
        return _raw_decode(text, at)
    except RecursionError:
        raise Malformed(_DEEP) from None
