"""Labels as they are posted: the truth of a prediction, by its id."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from monitor.ingest.body import Decoder, media_type
from monitor.ingest.expected import ANYTHING, Expected, check_keys, note_keys
from monitor.ingest.predictions import Scalar, check_count
from monitor.ingest.rejection import BadRow, Parsed, RejectionReason, Rejections
from monitor.ingest.text import ID_LENGTH, NUL, check_id, check_text, quoted, type_name
from monitor.ingest.times import Stamp, TimeRange
from monitor.ingest.warnings import Warnings
from monitor.settings.root import LimitSettings

_encoder = msgspec.msgpack.Encoder()


class LabelRow(msgspec.Struct, gc=False):
    id: str
    label: Scalar
    time: Stamp = None


@lru_cache(maxsize=8)
def _decoder(string_length: int) -> Decoder[LabelRow]:
    text: Any = Annotated[str, Meta(max_length=string_length)]
    fields: list[Any] = [
        ("id", Annotated[str, Meta(min_length=1, max_length=ID_LENGTH)]),
        ("label", text | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float | bool),
        ("time", datetime | float | None, None),
    ]
    row, strict = (
        msgspec.defstruct("Label", fields, bases=(LabelRow,), gc=False, forbid_unknown_fields=only)
        for only in (False, True)
    )
    return Decoder(cast("type[LabelRow]", row), cast("type[LabelRow]", strict))


def fast_labels(
    body: bytes, content_type: str, limits: LimitSettings, span: TimeRange, expected: Expected = ANYTHING
) -> Parsed | None:
    """The labels of a body that is small and wholly good, else None. Raises TooLarge."""
    decoder, unknown = _decoder(limits.string_length), Counter[str]()
    if NUL in body or (rows := decoder.fast(body, media_type(content_type), unknown)) is None:
        return None
    check_count(len(rows), limits)
    times = span.all_seconds([row.time for row in rows]) if rows else []
    return None if times is None else _parsed(rows, times, Rejections(), expected, unknown)


def parse_labels(
    body: bytes, content_type: str, limits: LimitSettings, span: TimeRange, expected: Expected = ANYTHING
) -> Parsed:
    """The good labels of `body` in columns, and why the others are not there. Raises Malformed and TooLarge."""
    parsed = fast_labels(body, content_type, limits, span, expected)
    return parsed if parsed is not None else _by_pieces(body, media_type(content_type), limits, span, expected)


def _by_pieces(body: bytes, media: str, limits: LimitSettings, span: TimeRange, expected: Expected) -> Parsed:
    decoder, rejections, unknown = _decoder(limits.string_length), Rejections(), Counter[str]()
    rows: list[LabelRow] = []
    times: list[float] = []
    seen, plain = 0, NUL not in body
    for piece in decoder.pieces(body, media, unknown):
        check_count(seen + len(piece), limits)
        if plain and piece and isinstance(piece[0], LabelRow):
            found = span.all_seconds([row.time for row in piece])
            if found is not None:
                rows += piece
                times += found
                seen += len(piece)
                continue
        for index, value in enumerate(piece, seen):
            if isinstance(value, dict):
                note_keys(unknown, value.keys() - decoder.keys)
            try:
                row = _row(value, decoder, limits)
                time = span.seconds(row.time)
            except BadRow as error:
                rejections.add(index, error)
                continue
            rows.append(row)
            times.append(time)
        seen += len(piece)
    return _parsed(rows, times, rejections, expected, unknown)


def _row(value: Any, decoder: Decoder[LabelRow], limits: LimitSettings) -> LabelRow:
    if isinstance(value, BadRow):
        raise value
    try:
        row = value if isinstance(value, LabelRow) else decoder.convert(value)
    except msgspec.ValidationError as error:
        raise _why(value, limits, str(error)) from None
    check_id(row.id)
    if isinstance(row.label, str):
        check_text("label", row.label)
    elif not math.isfinite(row.label):
        raise BadRow(RejectionReason.NOT_FINITE, f"label is {row.label}")
    return row


def _why(value: Any, limits: LimitSettings, error: str) -> BadRow:
    if not isinstance(value, dict):
        return BadRow(RejectionReason.INVALID_TYPE, f"a row must be an object, not {type_name(value)}")
    try:
        check_id(value.get("id"))
    except BadRow as reason:
        return reason
    label = value.get("label")
    if label is None:
        return BadRow(RejectionReason.MISSING_LABEL, "no label")
    if isinstance(label, dict | list):
        return BadRow(RejectionReason.INVALID_TYPE, f"label is {type_name(label)}; send one value")
    if isinstance(label, str) and len(label) > limits.string_length:
        return BadRow(RejectionReason.STRING_TOO_LONG, f"label has {len(label)} characters")
    if isinstance(value.get("time"), str):
        return BadRow(
            RejectionReason.INVALID_TIME, f"time {quoted(value['time'])} is neither RFC 3339 nor epoch seconds"
        )
    return BadRow(RejectionReason.INVALID_TYPE, error)


def _parsed(
    rows: list[LabelRow], times: list[float], rejections: Rejections, expected: Expected, unknown: Counter[str]
) -> Parsed:
    found = Warnings()
    if unknown:
        check_keys(unknown, LabelRow.__struct_fields__, len(rows), found, True)
    if not rows:
        return Parsed(0, 0.0, 0.0, b"", rejections, Counter(), found)
    labels = [row.label for row in rows]
    columns = {"id": [row.id for row in rows], "label": labels, "time": times}
    expected.check_labels(labels, found)
    return Parsed(len(rows), min(times), max(times), _encoder.encode(columns), rejections, Counter(), found)
