"""Matchers: conditions on an alert's labels, read and applied as Alertmanager does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from alerts.incidents.matcher_syntax import HOW, RESERVED, Parts, classic, utf8

LENGTH = 1000
"""Characters of a regular expression."""
JUDGED = 200
"""Characters of a value that an expression which RE2 refuses is matched against: Python's matcher may take long."""
_META = re.compile(r"[.^$*+?{}\[\]\\()]")
_QUOTED_NAME = re.compile(f"[{RESERVED}]")


class Op(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A label that an alert does not have counts as empty. Regular expressions are RE2's,
    anchored at both ends, and `.` matches a line break, too."""

    name: str
    op: Op
    value: str
    stored: bool = field(default=False, compare=False, repr=False)
    """Whether it was accepted earlier: it holds on, even if RE2 refuses its expression."""

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Return the one matcher of a text such as ``feature=distance`` or ``feature=~"temp|wind.*"``. Raises
        ValueError with one sentence.

        >>> Matcher.parse('feature =~ "temp|wind"').value
        'temp|wind'
        """
        found = cls.parse_all(text)
        if len(found) > 1:
            raise ValueError(f"{text!r} is {len(found)} matchers, not one")
        return found[0]

    @classmethod
    def parse_all(cls, text: str) -> tuple[Matcher, ...]:
        """Return the matchers of a text, at least one: ``severity="critical", model="delays"`` is two. Where
        Alertmanager's two parsers disagree, the classic one decides, as it does there. Raises ValueError with one
        sentence."""
        found = cls.read(text)
        if not found:
            raise ValueError(f"{text!r} is no matcher; {HOW}")
        return found

    @classmethod
    def parse_each(cls, texts: Iterable[str]) -> tuple[Matcher, ...]:
        """Return the matchers of several texts, in their order. Raises ValueError with one sentence."""
        return tuple(matcher for text in texts for matcher in cls.parse_all(text))

    @classmethod
    def read(cls, text: str) -> tuple[Matcher, ...]:
        """Return the matchers of a text, which may have none, such as ``{}``. Raises ValueError with one sentence, also
        for a lone brace at either end: the classic parser takes it away, and `=~[0-9]{3}` would mean something else."""
        bare = text.strip()
        if bare.startswith("{") is not bare.endswith("}"):
            raise ValueError(f"{text!r} has a brace at one end alone; put the value between double quotes")
        try:
            return cls._made(classic(text))
        except ValueError as error:
            try:
                return cls._made(utf8(text))
            except ValueError:
                raise error from None

    @classmethod
    def _made(cls, parts: Iterable[Parts]) -> tuple[Matcher, ...]:
        return tuple(cls(name, Op(op), value) for name, op, value in parts)

    def __post_init__(self) -> None:
        if self.stored:
            return
        if not self.name:
            raise ValueError("a matcher names a label, such as rule or model")
        if not _is_utf8(self.name + self.value):
            raise ValueError(f"{self.value!r} is not valid UTF-8")
        if self.op in (Op.REGEX, Op.NOT_REGEX):
            if len(self.value) > LENGTH:
                raise ValueError(f"a regular expression has at most {LENGTH} characters; shorten it")
            if why := refusal(self.value):
                raise ValueError(f"{self.value!r} is no regular expression that RE2 takes: {why}")

    def __str__(self) -> str:
        """Return the text that is read back as the same matcher."""
        if _QUOTED_NAME.search(self.name):
            return f"{_go_quoted(self.name)}{self.op}{_go_quoted(self.value)}"
        escaped = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{self.op}"{escaped}"'

    @property
    def problem(self) -> str:
        """One sentence on an expression that was accepted earlier and that RE2 refuses; empty otherwise."""
        if self.op not in (Op.REGEX, Op.NOT_REGEX) or not (why := refusal(self.value)):
            return ""
        return f"RE2 refuses the expression of {self} ({why})"

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels fulfils the condition."""
        actual = labels.get(self.name, "")
        if self.op is Op.EQUAL:
            return actual == self.value
        if self.op is Op.NOT_EQUAL:
            return actual != self.value
        if refusal(self.value):
            # Neither way where it can't be judged: such an alert is not silenced.
            found = _matched_by_python(self.value, actual)
            return found is not None and found is (self.op is Op.REGEX)
        return _compiled(self.value)(actual) is (self.op is Op.REGEX)


@lru_cache(maxsize=1024)
def refusal(pattern: str) -> str:
    """Return why RE2 refuses a regular expression; empty where it takes it."""
    if not _META.search(pattern):
        return ""
    import re2

    try:
        _compiled(pattern)
    except re2.error as error:
        why = error.args[0] if error.args else "no reason given"
        return why.decode(errors="replace") if isinstance(why, bytes) else str(why)
    return ""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Callable[[str], bool]:
    """Return what says whether a whole text matches."""
    if not _META.search(pattern):
        # Names with | between them, as in most routes, need no engine.
        return frozenset(pattern.split("|")).__contains__
    # Imported here, so that a daemon without such an expression does not carry it.
    import re2

    options = re2.Options()
    options.dot_nl, options.log_errors, options.never_capture = True, False, True
    compiled = re2.compile(pattern, options)
    return lambda text: compiled.fullmatch(text) is not None


def _matched_by_python(pattern: str, text: str) -> bool | None:
    """Whether the whole text matches by the rules that held before RE2; None where that can't be said."""
    try:
        return None if len(text) > JUDGED else re.fullmatch(pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return None


def _is_utf8(text: str) -> bool:
    """Whether it has no halves of surrogate pairs, such as stand for bytes that were no UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _go_quoted(text: str) -> str:
    """The text between double quotes as Go writes it."""
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
    return '"' + "".join(named.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'
