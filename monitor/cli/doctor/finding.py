"""One line of what the doctor found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class FindingStatus(StrEnum):
    OK = "ok"
    MISSING = "missing"
    """Not there, which may be as it should be."""
    PROBLEM = "problem"
    OFF = "off"
    """Switched off in the config, or not asked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in one line, and what to do about it."""

    name: str
    """Empty for the examination's own."""
    status: FindingStatus
    found: str
    todo: str = ""


Examination = Callable[[], Iterable[Finding]]
"""May take its time, hang, or raise: it runs on a thread of its own."""


def ok(name: str, found: str, todo: str = "") -> Finding:
    return Finding(name, FindingStatus.OK, found, todo)


def missing(name: str, found: str, todo: str = "") -> Finding:
    return Finding(name, FindingStatus.MISSING, found, todo)


def problem(name: str, found: str, todo: str = "") -> Finding:
    return Finding(name, FindingStatus.PROBLEM, found, todo)


def off(name: str, found: str, todo: str = "") -> Finding:
    return Finding(name, FindingStatus.OFF, found, todo)
