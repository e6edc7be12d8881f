"""What a rule says to people, as Prometheus' templates (Go's text/template) fill it in."""

from __future__ import annotations

import re
from collections.abc import Callable

from alerts.rules.level import Level
from alerts.rules.rule import Rule
from alerts.wording import bytes_, duration, number, percent

_SLOT = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|\s*(\w+)\s*)?\}\}")
_VALUES = {
    None: '{{ printf "%.4g" $value }}',
    "percent": "{{ $value | humanizePercentage }}",
    "duration": "{{ $value | humanizeDuration }}",
    "bytes": "{{ $value | humanize1024 }}B",
    "time": "{{ $value | humanizeTimestamp }}",
}
_WORDS: dict[str | None, Callable[[float], str]] = {
    None: number,
    "percent": percent,
    "duration": duration,
    "bytes": bytes_,
}


def notes(rule: Rule) -> dict[str, str]:
    """The alert's annotations, without empty ones."""
    texts = {
        **{name: _text(text, rule) for name, text in rule.annotations.items()},
        "summary": summary(rule),
        "description": _text(rule.action, rule),
        "runbook_url": _text(rule.runbook, rule),
    }
    return {name: text for name, text in texts.items() if text}


def summary(rule: Rule) -> str:
    """The rule's summary with its places filled in by Prometheus; a plain one where that can't."""
    filled = (_filled(rule.summary, rule) if rule.summary else None) or f"{rule.metric} is {_VALUES[None]}"
    if rule.on_no_data != "alert":
        return filled
    # The expression gives NaN where there is no data.
    return f'{{{{ if eq (printf "%g" $value) "NaN" }}}}{rule.metric}: no data{{{{ else }}}}{filled}{{{{ end }}}}'


def _text(text: str, rule: Rule) -> str:
    """A text with its places filled in; as it stands where Prometheus can't."""
    if not _SLOT.search(text):
        return _literal(text)
    filled = _filled(text, rule)
    return _literal(text) if filled is None else filled


def bounded(level: Level) -> float:
    """The number of a level that is one."""
    assert level.value is not None
    value = level.value if level.at_least is None else max(level.value, level.at_least)
    return value if level.at_most is None else min(value, level.at_most)


def _filled(text: str, rule: Rule) -> str | None:
    """None where the text has more than places to fill in, or places that Prometheus does not know."""
    parts, end = [], 0
    for slot in _SLOT.finditer(text):
        place = _place(slot[1], slot[2], rule)
        if place is None:
            return None
        parts += [text[end : slot.start()], place]
        end = slot.end()
    parts.append(text[end:])
    # A brace at the end of plain text would become one with those of the place behind it.
    if any(mark in part for part in parts[::2] for mark in ("{{", "{%", "{#")) or "{{{" in text:
        return None
    return "".join(parts)


def _place(name: str, word: str | None, rule: Rule) -> str | None:
    if name == "value":
        return _VALUES.get(word)
    level = rule.bounds[0].level if len(rule.bounds) == 1 and not rule.unit else None
    if name == "level" and level is not None and level.value is not None and word in _WORDS:
        return _literal(_WORDS[word](bounded(level)))
    if word is not None:
        return None
    if name.startswith("labels."):
        return f"{{{{ $labels.{name.removeprefix('labels.')} }}}}"
    return {"model": "{{ $labels.model }}", "rule": rule.name, "severity": str(rule.severity)}.get(name)


def _literal(text: str) -> str:
    """Text that Prometheus' templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')
