"""Show texts that come from data or from a config on one line, whatever characters are in them."""

from __future__ import annotations

import re

_NOT_SHOWN = (
    "\x00-\x1f\x7f-\x9f"  # control characters, the line breaks of ASCII and Latin-1 among them
    "\u2028\u2029"  # Unicode's own line and paragraph separators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi marks: they reorder what stands beside them
    "\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # invisible
    "\ud800-\udfff"  # halves of a character, which no stream can write
)
_RUN = re.compile(f"[{_NOT_SHOWN}]+")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_EACH = re.compile(f"[{_NOT_SHOWN}]")


def one_line(text: str, longest: int) -> str:
    """Return the text with a blank for each run of such characters, cut to `longest`. For messages and pages.

    >>> one_line("a\\x1b[31m\\nb\\u202ec", 12), one_line("abcdef", 4)
    ('a [31m b c', 'abc…')
    """
    line = _RUN.sub(" ", text[: longest + 1])
    return line if len(line) <= longest else line[: longest - 1] + "…"


def escaped(text: str) -> str:
    """Return the text with such characters written out, as JSON and YAML do in quotes. For logs and terminals, where a
    name must be recognised and must not begin a line of its own.

    >>> escaped("a\\n2026-01-01 INFO: all is well"), escaped("x\\u202ey")
    ('a\\\\n2026-01-01 INFO: all is well', 'x\\\\u202ey')
    """
    return _EACH.sub(_written, text)


def escaped_lines(text: str) -> str:
    """Return a text of several lines with each of them escaped; only a line feed ends one."""
    return "\n".join(map(escaped, text.split("\n")))


def _written(found: re.Match[str]) -> str:
    character = found[0]
    if short := _SHORT.get(character):
        return short
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
