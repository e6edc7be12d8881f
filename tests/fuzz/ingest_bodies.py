"""Broken bodies of predictions and labels: JSON rows, an object, NDJSON and gzip of several members, whose values,
keys, text and bytes are spoilt."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from checks.data.frame_payload import from_payload, label_array
from checks.data.schema import Schema
from monitor.ingest import body
from monitor.ingest.expected import ANYTHING, Expected
from monitor.ingest.labels import parse_labels
from monitor.ingest.predictions import parse_predictions
from monitor.ingest.rejection import Malformed, Parsed, TooLarge
from monitor.ingest.times import TimeRange
from monitor.settings.root import LimitSettings
from tests.fuzz.inputs import Part

NOW = 1_700_000_000.0
LIMITS = LimitSettings(body_bytes=4096, rows=20, features=8, string_length=64)
PARSERS = {"predictions": parse_predictions, "labels": parse_labels}
TYPES = {"array": "application/json", "object": "application/json; charset=utf-8", "lines": "application/x-ndjson"}
_FEATURES = (("distance", "numeric"), ("carrier", "categorical"), ("night", "boolean"), ("at", "datetime"))
_BINARY = Schema("binary", _FEATURES, classes=("0", "1"), positive_class="1")  # type: ignore[arg-type]
SCHEMAS: list[Schema | None] = [
    None,
    _BINARY,
    Schema("multiclass", _FEATURES, classes=("2", "10", "late")),  # type: ignore[arg-type]
    Schema("regression", _FEATURES),  # type: ignore[arg-type]
]
EXPECTED = [ANYTHING if schema is None else Expected(schema) for schema in SCHEMAS]
_KEYS = ["id", "time", "features", "prediction", "probabilities", "latency_seconds", "version", "tags", "label"]
_NAMES = ["distance", "carrier", "night", "at", "Distance", "", "p:1", "list:0", "list:x", "id", "f:a", "\\u2028", "²"]
_GOOD = ['"a1"', f"{NOW}", f"{NOW:.0f}", '"2023-11-14T22:00:00Z"', "1", "0.25", "true", '"late"', "null", '"12.5"']
_ODD = [
    *("NaN", "Infinity", "-Infinity", "-0", "1e999", "-1e999", "1e-999", "9" * 19, "9" * 400, "1" + "0" * 4300, "0.1e"),
    *(
        "9223372036854775808",
        "-9223372036854775809",
        "9007199254740993",
        "01",
        "+1",
        "1.",
        ".5",
        "1_0",
        "٣",
        "²",
        "0x1",
    ),
    *('""', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u12"', '"\\x41"', '"\x01"', '"\t"'),
    *('"\u2028"', '"\x85"', '"\\u202e"', '"\\n{}"', '"},{"', '"' + "x" * 65 + '"', '"' + "é" * 300 + '"', '"', "'a'"),
    *('"0000-00-00T00:00:00Z"', '"9999-12-31T23:59:60+99:99"', '"2023-11-14"', '"0001-01-01T00:00:00+14:00"'),
    *(
        '"2023-11-14T22:00:00.123456789-00:00"',
        '"nan"',
        '"1e999"',
        '"-"',
        '"1,5"',
        '"True"',
        '"²"',
        '"٣"',
        "-62135596801",
    ),
    *(
        "253402300800",
        "1e308",
        "[]",
        "{}",
        "[1, 2]",
        '[[1], {"a": []}]',
        '{"0": 0.1, "1": 0.9}',
        '{"1": "x"}',
        "[0.1, 0.9]",
    ),
    *("[NaN]", "[true]", "[null]", '{"late": 2, "2": -1, "10": 5}', "[0.2, 0.3, 0.5]", "[" * 200, '{"a":' * 200, "tru"),
    *("[" * 1500 + "]" * 1500, "undefined", "-", "", "/* */1", "\\", "\ufeff1", '{"": ""}', '{"a": {"b": 1}}'),
]
_PIECES = [
    *(b"\n", b"\r\n", b"\r", b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\t", b"\0", b"\xff", b"\xc3"),
    *(
        b"},{",
        b"}\n{",
        b"}{",
        b"]\n[",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"\x0c",
        b"\\u0000",
        b"\xed\xa0\x80",
    ),
]


def make(random: random.Random) -> bytes:
    """Return a body behind a line that says what it is and how it is read: kind, form, encoding, schema, the bytes of a
    slab (0: none), and whether the worker reads it, which takes longest."""
    kind, form = random.choice(["predictions", "labels"]), random.choice(["array", "array", "object", "lines"])
    rows = 1 if form == "object" else random.choice((0, 1, 1, 2, 4)) if random.random() < 0.99 else 25
    content = _joined([_row(kind, random) for _ in range(rows)], form, random)
    if random.random() < 0.3:
        content = _spoilt(content, random)
    encoding = "identity"
    if random.random() < 0.1:
        encoding, content = random.choice(["gzip", "gzip", "gzip", "x-gzip", "br"]), _packed(content, random)
    slab, worker = random.choice((0,) * 9 + (1, 30, 200)), random.random() < 0.2
    return f"{kind} {form} {encoding} {random.randrange(len(SCHEMAS))} {slab} {worker:d}\n".encode() + content


def _row(kind: str, random: random.Random) -> str:
    chance = random.choice((0.0, 0.0, 0.1, 0.4))
    cells = {"id": f'"{random.randrange(99)}"', "time": random.choice(_GOOD[1:4])}
    if kind == "labels":
        cells["label"] = random.choice(_GOOD[4:8])
    else:
        cells |= {"prediction": random.choice(_GOOD[4:8]), "features": _features(chance, random)}
        if random.random() < 0.3:
            cells["probabilities"] = random.choice(('{"0": 0.1, "1": 0.9}', "[0.1, 0.9]", "0.5", "[0.2, 0.3, 0.5]"))
            cells["tags"], cells["version"] = '{"a": "b"}', '"7"'
    if random.random() < chance:
        cells[random.choice(_KEYS) if random.random() < 0.8 else random.choice(_NAMES)] = _value(random)
    if random.random() < chance / 4:
        del cells[random.choice(list(cells))]
    return "{" + ", ".join(f'"{name}": {value}' for name, value in cells.items()) + "}"


def _features(chance: float, random: random.Random) -> str:
    many = random.randrange(4) if random.random() < 0.97 else 12
    names = random.choices(_NAMES[:4] if random.random() > chance else _NAMES, k=many)
    values = [_value(random) if random.random() < chance else random.choice(_GOOD) for _ in names]
    return "{" + ", ".join(f'"{name}": {value}' for name, value in zip(names, values, strict=True)) + "}"


def _value(random: random.Random) -> str:
    return random.choice(_ODD) if random.random() < 0.8 else random.choice(_GOOD)


def _joined(rows: list[str], form: str, random: random.Random) -> bytes:
    if form == "array":
        text = "[" + random.choice((",", ", ", " ,\n\t")).join(rows) + "]"
    else:
        text = random.choice(("\n", "\n", "\r\n", "\n\n", "\n \n")).join(rows)
    return text.encode("utf-8", "surrogatepass")


def _spoilt(content: bytes, random: random.Random) -> bytes:
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(content) + 1)
        match random.randrange(4):
            case 0:
                content = content[:at] + random.choice(_PIECES) * random.choice((1, 1, 1, 50)) + content[at:]
            case 1:
                content = content[:at] + random.choice(_PIECES) + content[at + random.randrange(4) :]
            case 2:
                content = content[:at] + content[at + random.randrange(20) :]
            case _:
                end = at + random.randrange(60)
                content = content[:end] + content[at:end] + content[end:]
    return content[: random.randrange(len(content) + 1)] if random.random() < 0.1 else content


def _packed(content: bytes, random: random.Random) -> bytes:
    """Return the content as one to four gzip members, now and then spoilt or with something behind them."""
    cuts = sorted(random.randrange(len(content) + 1) for _ in range(random.randrange(4)))
    pieces = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    packed = b"".join(gzip.compress(piece, 1, mtime=0) for piece in pieces)
    match random.randrange(6):
        case 0:
            packed = _spoilt(packed, random)
        case 1:
            packed += random.choice((b"\0" * 9, b"x", b"\x1f\x8b", gzip.compress(b" " * 100_000), packed[:11], b"\0x"))
        case _:
            pass
    return packed


def take(content: bytes, folder: Path) -> None:
    """Read a body as the daemon does; its rows must come back from their payload, in the worker too, and be told of in
    texts that can be sent and printed. Read in slabs it must be the same."""
    head, _, packed = content.partition(b"\n")
    kind, form, encoding, place, slab, worker = head.decode().split()
    schema, expected = SCHEMAS[int(place)], EXPECTED[int(place)]
    parse: Callable[..., Parsed] = PARSERS[kind]
    try:
        plain = body.inflate(packed, encoding, LIMITS.body_bytes)
        parsed = parse(plain, TYPES[form], LIMITS, _span(int(place)), expected)
    except (Malformed, TooLarge) as error:
        assert str(error).isprintable(), "an error that can't be printed"
        assert len(str(error)) < 1000, "an error that nobody can read"
        raise
    _check(parsed)
    if int(worker) and parsed.n:
        _check_in_worker(parsed, kind, schema)
    if int(slab) and (form == "array" or _has_a_row_a_line(plain)):
        with _slabs(int(slab)):
            again = parse(plain, TYPES[form], LIMITS, _span(int(place)), expected)
        assert _told(again) == _told(parsed), "in slabs it is another body"


def _span(place: int) -> TimeRange:
    """Return the times of a live model, or of one that replays the past."""
    return TimeRange(NOW - 86400.0, NOW + 300.0, NOW) if place else TimeRange(newest=NOW + 300.0)


def _has_a_row_a_line(plain: bytes) -> bool:
    """Return whether no row goes over several lines: NDJSON does not know such rows, which a small body may have and a
    large one may not."""
    lines = [line.strip() for line in plain.split(b"\n") if line.strip()]
    return all(line.startswith(b"{") and line.endswith(b"}") for line in lines)


def _check(parsed: Parsed) -> None:
    msgspec.json.encode(parsed.reply())
    said = [*parsed.warnings.examples.values(), *(row.detail for row in parsed.rejections.listed)]
    assert all(text.isprintable() and len(text) < 1000 for text in said), "a sentence that can't be printed"
    if not parsed.n:
        return
    columns = msgspec.msgpack.decode(parsed.payload)
    assert len(columns["id"]) == len(columns["time"]) == parsed.n, "columns of several lengths"
    assert all(columns["id"]), "an empty id"
    assert parsed.t_min == min(columns["time"]) and parsed.t_max == max(columns["time"]) <= NOW + 300.0, "a wrong time"


def _check_in_worker(parsed: Parsed, kind: str, schema: Schema | None) -> None:
    columns = msgspec.msgpack.decode(parsed.payload)
    if kind == "labels":
        assert len(label_array(columns["label"], schema)) == parsed.n, "labels are lost"
    else:
        assert from_payload(columns, schema).num_rows == parsed.n, "rows are lost"


@contextmanager
def _slabs(size: int) -> Any:
    """Have bodies read as if they were large, so many bytes at a time."""
    whole, slab = body.WHOLE_BYTES, body.SLAB_BYTES
    body.WHOLE_BYTES, body.SLAB_BYTES = 0, size
    try:
        yield
    finally:
        body.WHOLE_BYTES, body.SLAB_BYTES = whole, slab


def _told(parsed: Parsed) -> Any:
    """Return all that a body gave; as text, since NaN is not equal to itself."""
    columns = repr(msgspec.msgpack.decode(parsed.payload)) if parsed.payload else ""
    return columns, parsed.reply(), parsed.repaired


PART = Part("ingest", 1_000_000, make, take, (Malformed, TooLarge))
