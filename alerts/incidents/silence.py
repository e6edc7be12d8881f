"""Silences: matchers over an alert's labels, for a span of wall time, as in Alertmanager."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, prod
from re import _parser  # type: ignore[attr-defined]
from typing import Any

LENGTH = 200
"""Characters of a regular expression, and of a value that one is matched against. A longer value matches neither way:
an alert that can't be judged is not silenced."""
WAYS = (LENGTH + 1) ** 3
"""In how many ways an expression may match a value: three times `.*` at most. Python's matcher tries them all, and
nothing else runs meanwhile."""


class Op(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


_MATCHER = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A label that an alert does not have counts as empty; regular expressions are
    anchored at both ends."""

    name: str
    op: Op
    value: str

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """A matcher as people write it: ``feature=distance``, ``rule!=cpu``, ``feature=~"temp|wind.*"``. Raises
        ValueError with one sentence.

        >>> Matcher.parse('feature =~ "temp|wind"').value
        'temp|wind'
        """
        match = _MATCHER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no matcher; write name=value, name!=value, name=~regex or name!~regex")
        value = match[3]
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        return cls(match[1], Op(match[2]), value)

    def __post_init__(self) -> None:
        if self.op in (Op.REGEX, Op.NOT_REGEX):
            if len(self.value) > LENGTH:
                raise ValueError(f"a silence takes a regular expression of at most {LENGTH} characters; shorten it")
            try:
                re.compile(self.value)
            except re.error as error:
                raise ValueError(f"{self.value!r} is no regular expression: {error}") from error
            except (RecursionError, OverflowError):
                raise ValueError("this is no regular expression that can be read; write a simpler one") from None
            if _ways(_parser.parse(self.value)) > WAYS:
                raise ValueError(
                    f"{self.value!r} could take forever to match; write it without a repetition of repetitions or "
                    "alternatives, and with at most three of * or +"
                )

    def __str__(self) -> str:
        return f'{self.name}{self.op}"{self.value}"'

    def matches(self, labels: Mapping[str, str]) -> bool:
        actual = labels.get(self.name, "")
        if self.op is Op.EQUAL:
            return actual == self.value
        if self.op is Op.NOT_EQUAL:
            return actual != self.value
        if len(actual) > LENGTH:
            return False
        found = re.fullmatch(self.value, actual) is not None
        return found is (self.op is Op.REGEX)


def _ways(given: Any) -> float:
    """In how many ways a parsed expression may be tried on LENGTH characters; an upper bound."""
    if isinstance(given, _parser.SubPattern):
        return prod(_ways_of(str(kind), argument) for kind, argument in given)
    return 1


def _ways_of(kind: str, argument: Any) -> float:
    if kind == "BRANCH":
        return sum(map(_ways, argument[1]))
    if kind.endswith("REPEAT"):
        least, most, repeated = argument
        most, ways = min(int(most), LENGTH), _ways(repeated)
        counts = max(most - least, 0) + 1
        if ways == 1:
            return float(counts)
        # Each turn may go any of its ways.
        return inf if most > LENGTH.bit_length() else float(counts * ways**most)
    return prod(map(_ways, argument)) if isinstance(argument, tuple) else _ways(argument)


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match every matcher reach nobody from `starts_at` until `ends_at` (epoch seconds, wall clock)."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    created_by: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        if not self.matchers:
            raise ValueError("a silence needs at least one matcher, such as rule=feature-drift")
        if self.ends_at < self.starts_at:
            raise ValueError("a silence can't end before it starts")
        if all(matcher.matches({}) for matcher in self.matchers):
            raise ValueError("a silence needs a matcher that an alert without labels would not match")

    def active(self, now: float) -> bool:
        return self.starts_at <= now < self.ends_at


def silenced(labels: Mapping[str, str], silences: Iterable[Silence], now: float) -> Silence | None:
    """The active silence that mutes an alert with these labels; of several the one that ends last."""
    muting = [
        silence
        for silence in silences
        if silence.active(now) and all(matcher.matches(labels) for matcher in silence.matchers)
    ]
    return max(muting, key=lambda silence: silence.ends_at, default=None)
