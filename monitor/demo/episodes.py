"""Alerts as they came and went, put together from the audit of transitions that the daemon keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoTransition:
    """One change of an alert's state; `at` is on the rule's own clock, `recorded_at` on the wall's."""

    rule: str
    labels: Mapping[str, str]
    before: str
    after: str
    reason: str
    at: float
    window_end: float
    """End of the window that was judged, or `at` where there is none."""
    recorded_at: float
    value: float | None
    level: float | None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> DemoTransition:
        """From an item of the API."""
        return cls(
            rule=plain["rule"],
            labels=plain["labels"],
            before=plain["before"],
            after=plain["after"],
            reason=plain["reason"],
            at=plain["at"],
            window_end=plain["at"] if plain.get("window_end") is None else plain["window_end"],
            recorded_at=plain["recorded_at"],
            value=plain["value"],
            level=plain["level"],
        )


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert from firing to resolution, if that came."""

    rule: str
    labels: Mapping[str, str]
    fired: DemoTransition
    resolved: DemoTransition | None

    @property
    def feature(self) -> str:
        return self.labels.get("feature", "")

    @property
    def subject(self) -> str:
        """The rule and what it is about."""
        return " ".join([self.rule, *(value for name, value in sorted(self.labels.items()) if name == "feature")])


def episodes(transitions: Iterable[DemoTransition]) -> list[Episode]:
    """The alerts that fired, in the order in which they did. `transitions` are oldest first."""
    open_: dict[tuple[Any, ...], int] = {}
    found: list[Episode] = []
    for change in transitions:
        key = (change.rule, *sorted(change.labels.items()))
        if change.after == "firing" and key not in open_:
            open_[key] = len(found)
            found.append(Episode(change.rule, change.labels, change, None))
        elif change.before == "firing" and change.after != "firing" and key in open_:
            index = open_.pop(key)
            begun = found[index]
            found[index] = Episode(begun.rule, begun.labels, begun.fired, change)
    return found
