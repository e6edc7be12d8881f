"""The bytes of a CSV file as UTF-8, watched while they are read."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from checks.data.arrow import Bools

LEGACY = "cp1252"
"""What a file that is not UTF-8 is taken for: it holds all of Latin-1's letters, and what Excel writes beside them.
Detectors were tried: of short western tables they say cp1250 or mac_latin2, and mix up letters."""
ZERO, NINE = ord("0"), ord("9")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@contextmanager
def raw(path: str) -> Iterator[pa.NativeFile]:
    """Read the file's bytes, unpacked where its name says that it is packed."""
    with pa.input_stream(path) as stream:
        yield stream


def encoding_of(head: bytes) -> str:
    """Return the encoding that the first bytes show: by their mark, or by every other byte being 0; else utf-8.

    >>> encoding_of("ä,b".encode("utf-16")), encoding_of("a,b".encode("utf-16-le")), encoding_of(b"a,b")
    ('utf-16', 'utf-16-le', 'utf-8')
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    pairs = len(head) // 2
    zeros = head[: 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if pairs and max(zeros) > 0.5 * pairs:
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    return "utf-8"


def first_odd_byte(path: str) -> str:
    """Return where the file stops being UTF-8, for people; empty where all of it is."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with raw(path) as stream:
        while data := stream.read(1 << 20):
            try:
                line += decoder.decode(data).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                return f"byte 0x{error.object[error.start]:02X} in line {line:,}"
    return ""


def legacy(path: str) -> str:
    """Return cp1252, or Latin-1 for a file with bytes that cp1252 has no letter for."""
    with raw(path) as stream:
        while data := stream.read(1 << 20):
            if len(data.translate(None, b"\x81\x8d\x8f\x90\x9d")) < len(data):
                return "latin-1"
    return LEGACY


class Utf8(io.RawIOBase):
    """A stream of bytes in some encoding, read as UTF-8; it notes whether a cell begins with a 0 before a digit."""

    def __init__(self, stream: pa.NativeFile, encoding: str, separator: str) -> None:
        self._stream, self._before = stream, b"\n"
        own = codecs.lookup(encoding).name
        self._decoder = None if own in ("utf-8", "ascii") else codecs.getincrementaldecoder(own)()
        self._starts = np.zeros(256, np.bool_)
        self._starts[[ord("\n"), ord('"'), *separator.encode()]] = True
        self.zeros = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> Any:
        """Read the next bytes. Raises UnicodeDecodeError where they are not of the encoding."""
        data = self._decoded(size if size >= 0 else None)
        if not self.zeros and data:
            self._look(self._before + data)
            self._before = data[-2:]
        return data

    def _decoded(self, size: int | None) -> bytes:
        data: bytes = self._stream.read(size)
        while self._decoder is not None:
            text = self._decoder.decode(data, final=not data).encode("utf-8", "replace")
            if text or not data:
                return text
            data = self._stream.read(size)
        return data

    def _look(self, data: bytes) -> None:
        cells = np.frombuffer(data, np.uint8)
        at = np.flatnonzero(cells[1:-1] == ZERO)
        after = cells[at + 2]
        hits: Bools = self._starts[cells[at]] & (after >= ZERO) & (after <= NINE)
        self.zeros = bool(hits.any())
