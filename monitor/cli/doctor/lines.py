"""Findings as lines of text: status, name, and what was found with what to do, wrapped beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from alerts.wording import clean
from monitor.cli.doctor.finding import Finding

WIDTH = 100
_STATUS = 9
_NAME = 34
_LEAST = 24
_LONGEST = 1000
_ARROW = "→ "


def lines(found: Sequence[Finding], width: int = WIDTH) -> Iterator[tuple[str, str]]:
    """Yield each line with the status that it begins with, if it does. Nothing but text: no control characters."""
    names = min(_NAME, max((len(item.name) for item in found), default=0))
    indent = _STATUS + names + 2
    room = max(_LEAST, width - indent)
    for item in found:
        status = item.status.value
        head = f"{status:<{_STATUS}}{clean(item.name, _NAME):<{names}}  "
        said = wrap(clean(item.found, _LONGEST), room) or [""]
        for line in wrap(clean(item.todo, _LONGEST), room - len(_ARROW)):
            said.append((" " * len(_ARROW) if said[-1].startswith((_ARROW, "  ")) else _ARROW) + line)
        yield status, head + said[0]
        for line in said[1:]:
            yield "", " " * indent + line
