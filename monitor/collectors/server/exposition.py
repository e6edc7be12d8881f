"""Prometheus' text format, read as Prometheus reads it: only LF ends a line, only space and tab are blanks, and numbers
are ASCII. Lines of OpenMetrics with exemplars are read, too.

prometheus_client's own parser takes Python's idea of all three, and so other pages than Prometheus. Source: Prometheus,
model/textparse/promlex.l and promparse.go.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# `++` and `*+` give nothing back, so that no line, however long, takes more than one pass.
_DECIMAL = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_NUMBER = rf"(?:{_DECIMAL}|[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])"
_IS_NUMBER = re.compile(_NUMBER)
_NAME = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*+)[ \t]*+")
_LABEL = re.compile(r'[ \t]*+([a-zA-Z_][a-zA-Z0-9_]*+)[ \t]*+=[ \t]*+"((?:[^"\\]++|\\.)*+)"[ \t]*+,?')
_LABELS_END = re.compile(r"[ \t]*+\}")
_VALUE = re.compile(rf"[ \t]*+({_NUMBER})(?:[ \t]++{_NUMBER})?[ \t]*+(?:(?<=[ \t])#[ \t]*\{{.*)?\Z")
_ESCAPED = re.compile(r'\\([\\n"])')
_COMMENT = re.compile(r"#[ \t]+(?:TYPE|HELP)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)")
_SHOWN = 200
LINE_BYTES = 256 << 10
"""Bytes of a line that is parsed, at most."""


class Sample(NamedTuple):
    """One line: a series and its number, which may be NaN or infinite. Timestamp and exemplar are left out."""

    name: str
    labels: dict[str, str]
    value: float


def lines(page: bytes, names: Iterable[str]) -> Iterator[str]:
    """Yield the lines of samples whose name begins with one of `names`, and every comment, without blanks before them.

    The others need no parsing, and a large server's page has thousands of them. Raises ValueError at a line that is
    longer than LINE_BYTES.

    >>> list(lines(b"# x\\n a 1\\nb 2\\n", ["a"]))
    ['# x', 'a 1']
    """
    starts = (b"#", *(name.encode() for name in names))
    for line in io.BytesIO(page):
        line = line.lstrip(b" \t")
        if line.startswith(starts):
            if len(line) > LINE_BYTES:
                raise ValueError(f"a line is longer than {LINE_BYTES >> 10} KiB, which no sample is")
            yield line.removesuffix(b"\n").decode("utf-8", "backslashreplace")


def family(comment: str) -> str | None:
    """Return the metric that a line of type or help is about; None of other comments.

    >>> family("# TYPE up gauge"), family("# EOF")
    ('up', None)
    """
    found = _COMMENT.match(comment)
    return found and found[1]


def sample(line: str) -> Sample:
    """Return what a line says. Raises ValueError, with the beginning of the line, when it is no sample.

    >>> sample('up{job="a b"} 1 1700000000000')
    Sample(name='up', labels={'job': 'a b'}, value=1.0)
    """
    name = _NAME.match(line)
    if name is None:
        raise ValueError(f"{line[:_SHOWN]!r} begins with no metric's name")
    labels, at = _labels(line, name.end()) if line.startswith("{", name.end()) else ({}, name.end())
    if (value := _VALUE.match(line, at)) is None:
        ending = "; its lines end in CR LF, and Prometheus' format has LF" if line.endswith("\r") else ""
        raise ValueError(f"{line[:_SHOWN]!r} has no value where one must be{ending}")
    return Sample(name[1], labels, float(value[1]))


def number(text: str) -> float | None:
    """Return the number that a text is, as in a label `le`; None if it is none.

    >>> number("+Inf"), number("1_0"), number("٣")
    (inf, None, None)
    """
    return float(text) if _IS_NUMBER.fullmatch(text) else None


def _labels(line: str, brace: int) -> tuple[dict[str, str], int]:
    """Return the labels that begin with the brace, and where they end."""
    labels: dict[str, str] = {}
    at = brace + 1
    while found := _LABEL.match(line, at):
        name, value = found[1], found[2]
        if name in labels:
            raise ValueError(f"{line[:_SHOWN]!r} has label {name} twice")
        labels[name] = _ESCAPED.sub(_plain, value) if "\\" in value else value
        at = found.end()
    if (end := _LABELS_END.match(line, at)) is None:
        raise ValueError(f"{line[:_SHOWN]!r} has labels that can't be read")
    return labels, end.end()


def _plain(escaped: re.Match[str]) -> str:
    return "\n" if escaped[1] == "n" else escaped[1]
