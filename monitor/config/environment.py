"""Fills ${NAME} of a config file in from the environment, with defaults that may have further ones inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Report = Callable[[str], None]
"""Takes a sentence on what is wrong."""

DEEPEST = 8
"""Defaults inside defaults at most."""
_UNFIT = re.compile("[\0\ud800-\udfff]")
_BEGIN = re.compile(r"(?P<literal>\$)?\$\{")
_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<next>\}|:-)")
_EDGE = re.compile(r"\$\$\{|\$\{|\}")
_BARE = re.compile(r"\$(?P<literal>\$?)(?P<name>[A-Z_][A-Z0-9_]*)")
_IN_URL = re.compile(r"(?<![$\w])\$(?P<name>[A-Z_][A-Z0-9_]+)\b")


def filled(text: str, environment: Mapping[str, str], report: Report, depth: int = 0) -> str:
    """Return the text with each ${NAME}, ${NAME:-default} replaced. The text itself where something is wrong."""
    parts, at = [], 0
    while begin := _BEGIN.search(text, at):
        parts.append(text[at : begin.start()])
        if begin["literal"]:
            parts.append("${")
            at = begin.end()
            continue
        value, at = _variable(text, begin, environment, report, depth)
        parts.append(value)
    return "".join((*parts, text[at:]))


def named(text: str) -> str:
    """Return the text with the names of its variables alone, without their defaults but for empty ones.

    >>> named("a${A:-${B:-x}}b${C}${D:-}")
    'a${A}b${C}${D:-}'
    """
    parts, at = [], 0
    while begin := _BEGIN.search(text, at):
        head = None if begin["literal"] else _NAME.match(text, begin.end())
        end = None if head is None or head["next"] == "}" else _end(text, head.end())
        empty = ":-" if head is not None and end == head.end() else ""
        shown = begin[0] if head is None else f"${{{head['name']}{empty}}}"
        parts += [text[at : begin.start()], shown]
        at = begin.end() if head is None else head.end() if end is None else end + 1
    return "".join((*parts, text[at:]))


def bare(text: str, report: Report) -> str:
    """Refuse $NAME, which other programs fill in and this one would take for the text itself; $$NAME is that text."""
    if (found := _BARE.fullmatch(text)) and found["literal"]:
        return text[1:]
    found = found or (_IN_URL.search(text) if "://" in text else None)
    if found:
        name = found["name"]
        report(
            f"${name} is not filled in; write ${{{name}}} for the environment variable {name}"
            + ("" if "://" in text else f", or $${name} for these very characters")
        )
    return text


def _variable(
    text: str, begin: re.Match[str], environment: Mapping[str, str], report: Report, depth: int
) -> tuple[str, int]:
    """Return what stands for the variable that begins here, and where the text goes on."""
    head = _NAME.match(text, begin.end())
    end = _end(text, head.end()) if head is not None and head["next"] != "}" else None
    if head is None or (end is None and head["next"] != "}"):
        report(f"{text[begin.start() :][:40]!r}: write ${{NAME}} or ${{NAME:-default}}, and $${{ for a plain ${{")
        return text[begin.start() : begin.end()], begin.end()
    name, value = head["name"], environment.get(head["name"])
    after = head.end() if end is None else end + 1
    if value or (value is not None and end is None):
        return _text(name, value, report), after
    if end is None:
        report(f"environment variable {name} is not set; set it, or write ${{{name}:-default}}")
        return text[begin.start() : after], after
    if depth >= DEEPEST:
        report(f"${{{name}:-…}}: more than {DEEPEST} defaults inside each other")
        return "", after
    return filled(text[head.end() : end], environment, report, depth + 1), after


def _end(text: str, at: int) -> int | None:
    """Return where the default that begins at `at` ends: at the } that belongs to no further ${ inside it."""
    inside = 0
    for edge in _EDGE.finditer(text, at):
        if edge[0] == "}":
            if not inside:
                return edge.start()
            inside -= 1
        elif edge[0] == "${":
            inside += 1
    return None


def _text(name: str, value: str, report: Report) -> str:
    """Return the variable's value, if a config can hold it."""
    if _UNFIT.search(value):
        report(f"environment variable {name} is not UTF-8 text")
        return ""
    return value
