"""How large a share of a metric's label sets breaches: `share: 0.3` makes of many measurements one."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.rules.level import Memory, Unjudged, is_worse, resolve
from alerts.rules.rule import Rule
from alerts.state.observation import Observation
from checks.base import Labels, Measurement, Window

NAMED = 5
"""Breaching label sets that are named; of more only the number is told."""


class _Nothing:
    """No memory: the levels of such a rule are not learned."""

    baseline, season, previous = (), (), None


_NONE: Memory = _Nothing()


def shared(rule: Rule, labels: Labels, rows: Iterable[Measurement], expected: float | None) -> Observation | None:
    """The share as one observation of a measurement with these labels: its value is the share, its n the number of
    label sets that could be judged. None without any measurement; no data where none of them could be judged."""
    window: Window | None = None
    judged: list[tuple[bool, float, Measurement]] = []
    for row in rows:
        window = row.window if window is None or row.window.end > window.end else window
        if row.value is not None and row.n >= rule.min_rows and (found := _judged(rule, row)) is not None:
            judged.append((*found, row))
    if window is None:
        return None
    if not judged:
        return Observation.no_data(window, labels, rule.metric, expected)
    bad = sorted((item for item in judged if item[0]), key=lambda item: (-item[1], item[2].labels))
    share = Measurement(rule.metric, len(bad) / len(judged), window, labels, n=len(judged))
    return Observation.of(share, expected, beside=_named([row for _, _, row in bad], len(judged)))


def _judged(rule: Rule, row: Measurement) -> tuple[bool, float] | None:
    """Whether the measurement breaches, and by how much; None where it has no level."""
    assert row.value is not None
    levels = [(bound.side, resolve(bound.level, row, bound.side, _NONE)) for bound in rule.bounds]
    known = [(side, level) for side, level in levels if not isinstance(level, Unjudged)]
    if not known:
        return None
    over = [abs(row.value - level) / (abs(level) or 1.0) for side, level in known if is_worse(side, row.value, level)]
    return bool(over), max(over, default=0.0)


def _named(bad: list[Measurement], of: int) -> str:
    if not bad:
        return ""
    names = [" ".join(value for _, value in row.labels) for row in bad[:NAMED]]
    if len(bad) > NAMED:
        names.append(f"{len(bad) - NAMED} more")
    return f"({len(bad)} of {of}: {', '.join(names)})"
