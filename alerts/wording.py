"""How numbers, moments and summaries are put into words for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.duration import span
from alerts.template_check import parsed
from checks.one_line import one_line

_LONGEST = 4000
_BROKEN = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
)
"""Whatever a text may raise when it is filled in."""
_FILTERS = ("percent", "duration", "bytes", "time", "method")
"""Those of our own."""


class _AnyLabel(dict[str, str]):
    """Labels of which each is there: which ones an alert has is not known before there is one."""

    def __missing__(self, name: str) -> str:
        return name


_SAMPLE: Mapping[str, Any] = {
    "labels": _AnyLabel(),
    "model": "model",
    "rule": "rule",
    "severity": "warning",
    "n": 100,
    "since": 0.0,
    "value": 0.5,
    "level": 0.1,
    "worst": 0.9,
}
"""What texts are filled in with, as an example."""


def number(value: float) -> str:
    """Three significant digits, without an exponent where people would not write one.

    >>> number(3.2004), number(0.1), number(12345.6), number(0.00001234)
    ('3.2', '0.1', '12346', '1.23e-05')
    """
    return f"{value:.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"


def percent(value: float) -> str:
    return f"{number(value * 100)}%"


def bytes_(value: float) -> str:
    """
    >>> bytes_(1536.0), bytes_(12.0)
    ('1.5KiB', '12B')
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{number(value)}{unit}"


def duration(value: float) -> str:
    """
    >>> duration(0.25), duration(2.5), duration(5400.0)
    ('250ms', '2.5s', '1h30m')
    """
    return f"{number(value)}s" if 1 <= abs(value) < 60 else span(value) if value >= 0 else f"-{span(-value)}"


def quantity(metric: str, value: float) -> str:
    """A measurement's value in its unit, which its name ends with.

    >>> quantity("missing_ratio", 0.6), quantity("latency_p95_seconds", 0.25), quantity("feature_drift", 3.2)
    ('60%', '250ms', '3.2')
    >>> quantity("gpu_memory_used_bytes", 2048.0), quantity("gpu_pcie_throughput_bytes_per_second", 2048.0)
    ('2KiB', '2KiB/s')
    """
    if not math.isfinite(value):
        return str(value)
    if metric.endswith("_ratio"):
        return percent(value)
    if metric.endswith("_timestamp_seconds"):
        return stamp(value)
    if metric.endswith("_seconds"):
        return duration(value)
    if metric.endswith("_bytes_per_second"):
        return f"{bytes_(value)}/s"
    return bytes_(value) if metric.endswith("_bytes") else number(value)


LAST = 253_402_300_799.0
"""9999-12-31T23:59:59Z in epoch seconds: a later moment can't be written."""


def stamp(seconds: float) -> str:
    """A moment to the minute, or to the second where it has any.

    >>> stamp(1367366400.0), stamp(1367366401.5)
    ('2013-05-01T00:00Z', '2013-05-01T00:00:01Z')
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if int(seconds) % 60 else "%Y-%m-%dT%H:%MZ")


def clean(text: str, limit: int = _LONGEST) -> str:
    """One line without control characters, cut to `limit` characters.

    >>> clean("a\\x1b[31m\\nb"), clean("abcdef", 4)
    ('a [31m b', 'abc…')
    """
    return one_line(text, limit).strip()


class Wording:
    """Fills in what rules say to people; a broken text becomes the fallback, never an error."""

    def __init__(self, methods: Mapping[str, str]) -> None:
        """`methods` are the drift methods' names for people, by the name that labels have."""
        self._environment = ImmutableSandboxedEnvironment(autoescape=False, finalize=_shown)
        self._environment.filters |= {"percent": percent, "duration": duration, "bytes": bytes_, "time": stamp}
        self._environment.filters["method"] = lambda name: methods.get(name, name)
        self._templates: dict[str, Template] = {}

    def render(self, text: str, values: Mapping[str, Any], fallback: str) -> str:
        """The text as one line of at most 4,000 characters."""
        if not text:
            return fallback
        try:
            return clean(self._filled(text, values)) or fallback
        except _BROKEN:
            return fallback

    def problem(self, text: str) -> str | None:
        """What is wrong with a rule's text, as far as that can be told before there is an alert."""
        try:
            unknown = find_undeclared_variables(self._parsed(text)) - _SAMPLE.keys() if "{" in text else set()
            if unknown:
                return f"names {min(unknown)!r}, which is not known; known are {', '.join(sorted(_SAMPLE))}"
            self._filled(text, _SAMPLE)
        except TemplateError as error:
            return f"is no valid template: {error.message}"
        except _BROKEN as error:
            return f"can't be filled in: {error}"
        return None

    def _parsed(self, text: str) -> nodes.Template:
        return parsed(self._environment, text, _FILTERS)

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        if "{" not in text:
            return text
        if text not in self._templates:
            self._templates[text] = self._environment.from_string(self._parsed(text))
        parts, length = [], 0
        for part in self._templates[text].generate(values):
            parts.append(part)
            length += len(part)
            if length > _LONGEST:  # no more is shown, however long it would go on
                break
        return "".join(parts)


def _shown(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value
