"""Silences: matchers over an alert's labels, for a span of wall time, as in Alertmanager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerts.incidents.matcher import Matcher


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
        # What was accepted earlier holds until it ends.
        if all(matcher.matches({}) and not matcher.stored for matcher in self.matchers):
            raise ValueError("a silence needs a matcher that an alert without labels would not match")

    def active(self, now: float) -> bool:
        return self.starts_at <= now < self.ends_at

    @property
    def problem(self) -> str:
        """One sentence on what an earlier release accepted and this one would refuse; empty otherwise."""
        found = [matcher.problem for matcher in self.matchers if matcher.problem]
        return f"{'; '.join(found)}: it holds as before until it ends, then add it anew" if found else ""


def silenced(labels: Mapping[str, str], silences: Iterable[Silence], now: float) -> Silence | None:
    """The active silence that mutes an alert with these labels; of several the one that ends last."""
    muting = [
        silence
        for silence in silences
        if silence.active(now) and all(matcher.matches(labels) for matcher in silence.matchers)
    ]
    return max(muting, key=lambda silence: silence.ends_at, default=None)
