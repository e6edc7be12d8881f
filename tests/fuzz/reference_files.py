"""Broken reference files: CSV, Parquet, Arrow and JSON lines whose cells, names, text and bytes are spoilt."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from checks.data.schema import SchemaError
from checks.reference import Reference
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.references import build_file
from tests.fuzz.inputs import Part

OPTIONS = ModelOptions("delays")
NAMES = ["id", "time", "prediction", "score", "target", "label", "probability_1", "distance", "city", "night", "at"]
_ODD_NAMES = [
    "",
    " distance ",
    "Distance",
    "distance",
    "a,b",
    "a\nb",
    "\u202ea",
    "²",
    "f:x",
    "p:1",
    "x" * 300,
    "0",
    '"',
]
_CELLS: dict[str, Callable[[random.Random], Any]] = {
    "id": lambda random: f"id{random.randrange(10**6)}",
    "time": lambda random: f"2026-0{random.randint(1, 9)}-{random.randint(10, 28)}T{random.randint(10, 23)}:00:00Z",
    "prediction": lambda random: random.choice((0, 1)),
    "target": lambda random: random.choice((0, 1)),
    "label": lambda random: random.choice(("2", "10", "late")),
    "score": lambda random: round(random.random(), 3),
    "probability_1": lambda random: random.random(),
    "city": lambda random: random.choice(("Bern", "Zürich", "東京", "")),
    "night": lambda random: random.random() < 0.4,
    "at": lambda random: f"{random.randint(1, 28)}/{random.randint(1, 12)}/2026",
    "distance": lambda random: round(random.gauss(700, 90), 2),
}
_ODD: list[Any] = [
    *(None, "", " ", "-", "NA", "nan", "NULL", "inf", "-inf", "1e999", "1.5", "1,5", "1.234,5", "1_0", "٣", "²", "0x1"),
    *(float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**40),
    *(
        "9" * 400,
        "x" * 5000,
        "a\nb",
        'a"b',
        "'",
        ";",
        "\t",
        "|",
        "\0",
        "\u2028",
        "\ufeff",
        "😀",
        "=1+1",
        "true",
        "True",
    ),
    *("0000-00-00", "2024-02-30", "9999-12-31T23:59:60Z", "0001-01-01", "31/12/2026", "25:61", "01234", "1.0", [], {}),
    *([1, 2], {"a": 1}, {"a": [None]}, True, False, "2026-01-01 00:00:00+99:99", -62135596801, 253402300800),
]
_SELDOM: list[pa.DataType] = [
    *(pa.large_string(), pa.string_view(), pa.float16(), pa.decimal128(20, 3), pa.uint64(), pa.int8(), pa.bool_()),
    *(pa.date32(), pa.timestamp("ns", "UTC"), pa.timestamp("s"), pa.time64("us"), pa.duration("s"), pa.binary()),
    pa.null(),
]
_PIECES = [
    *(
        b"\n",
        b"\r",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xfe\xff",
        b"\xc3",
        b",",
        b";",
        b"\t",
        b"|",
        b'"',
        b"'",
        b"\\",
        b"{",
        b"}",
    ),
    *(
        b"[",
        b"]",
        b":",
        b" ",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"1e999",
        b"-",
        b"PAR1",
        b"ARROW1",
        b"\xff\xff\xff\xff",
    ),
]


def make(random: random.Random) -> bytes:
    """Return a file behind a line with its name."""
    names = random.sample(NAMES, random.randint(1, 8))
    rows = random.choice((0, 1, 3, 40, 40, 150))
    columns = [[_CELLS[name](random) for _ in range(rows)] for name in names]
    for _ in range(random.choice((0, 0, 1, 1, 3))):
        _spoil_cells(names, columns, random)
    kind = random.choice(list(WRITERS))
    content = WRITERS[kind](names, columns, random)
    for _ in range(random.choice((0, 0, 1, 3))):
        content = _spoilt(content, random)
    if kind in ("csv", "tsv", "jsonl") and random.random() < 0.1:
        kind, content = kind + ".gz", gzip.compress(content, 1, mtime=0)
        content = _spoilt(content, random) if random.random() < 0.3 else content
    return f"{'r' * random.randint(1, 2)}.{kind}\n".encode() + content


def _spoil_cells(names: list[str], columns: list[list[Any]], random: random.Random) -> None:
    place = random.randrange(len(names))
    column = columns[place]
    match random.randrange(5):
        case 0:
            names[place] = random.choice(_ODD_NAMES)
        case 1:
            names[place] = random.choice(NAMES)
        case 2:
            columns[place] = [random.choice(_ODD)] * len(column)
        case _:
            for row in random.sample(range(len(column)), min(len(column), random.choice((1, 1, 30)))):
                column[row] = random.choice(_ODD)


def _csv(names: list[str], columns: list[list[Any]], random: random.Random) -> bytes:
    separator = random.choice((",", ",", ";", "\t", "|"))
    quote = random.choice((True, True, False))
    lines = [
        separator.join(_cell(cell, separator, quote) for cell in row) for row in (names, *zip(*columns, strict=True))
    ]
    text = random.choice(("\n", "\n", "\r\n", "\r")).join([*lines, ""])
    return text.encode(random.choice(("utf-8",) * 5 + ("latin-1", "cp1252", "utf-16", "utf-8-sig")), "replace")


def _cell(cell: Any, separator: str, quote: bool) -> str:
    text = "" if cell is None else str(cell)
    needs = quote and any(mark in text for mark in (separator, '"', "\n", "\r"))
    return '"' + text.replace('"', '""') + '"' if needs else text


def _json_lines(names: list[str], columns: list[list[Any]], random: random.Random) -> bytes:
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return "".join(json.dumps(row, ensure_ascii=random.random() < 0.5) + "\n" for row in rows).encode()


def _table(names: list[str], columns: list[list[Any]], random: random.Random) -> pa.Table:
    return pa.table([_array(column, random) for column in columns], names=names)


def _array(column: list[Any], random: random.Random) -> pa.Array:
    """Return the column as Arrow has it: by itself, as texts where it is mixed, or in a type that is seldom."""
    try:
        plain = pa.array(column)
    except (pa.ArrowException, OverflowError, UnicodeError):
        plain = pa.array([None if cell is None else str(cell) for cell in column])
    if random.random() < 0.3:
        kind = random.choice([*_SELDOM, pa.dictionary(pa.int32(), plain.type)])
        try:
            return plain.cast(kind)
        except (pa.ArrowException, OverflowError):
            return plain
    return plain


def _parquet(names: list[str], columns: list[list[Any]], random: random.Random) -> bytes:
    out, table = io.BytesIO(), _table(names, columns, random)
    try:
        pq.write_table(
            table, out, compression=random.choice(("snappy", "zstd", "none")), row_group_size=random.choice((50, 999))
        )
    except pa.ArrowException:  # a type that Parquet does not have
        return _arrow(names, columns, random)
    return out.getvalue()


def _arrow(names: list[str], columns: list[list[Any]], random: random.Random) -> bytes:
    out, table = io.BytesIO(), _table(names, columns, random)
    form = random.choice((pa.ipc.new_file, pa.ipc.new_stream))
    with form(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


WRITERS = {"csv": _csv, "tsv": _csv, "jsonl": _json_lines, "parquet": _parquet, "arrow": _arrow}


def _spoilt(content: bytes, random: random.Random) -> bytes:
    at = random.randrange(len(content) + 1)
    match random.randrange(5):
        case 0:
            return content[:at] + random.choice(_PIECES) * random.choice((1, 1, 500)) + content[at:]
        case 1:
            return content[:at] + random.choice(_PIECES) + content[at + random.randrange(9) :]
        case 2:
            return content[:at] + bytes([random.randrange(256)]) + content[at + 1 :]
        case 3:
            end = at + random.randrange(200)
            return content[:end] + content[at:end] + content[end:]
        case _:
            return content[:at] if random.random() < 0.3 else content[:at] + content[at + random.randrange(40) :]


def take(content: bytes, folder: Path) -> None:
    """Make a reference of a file as the worker does; it must come back from what is stored of it."""
    name, _, written = content.partition(b"\n")
    path = folder / name.decode()
    path.write_bytes(written)
    try:
        made = build_file(str(path), OPTIONS, lambda share: None)
    except SchemaError as error:
        assert "\n" not in str(error), "an error of several lines"
        raise
    finally:
        path.unlink()
    assert made.n > 0, "a reference without rows"
    assert Reference.from_bytes(made.to_bytes()).n == made.n, "a reference that can't be stored"


PART = Part("reference", 3_000, make, take, (SchemaError,))
