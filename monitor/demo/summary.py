"""Holds each alert against what really happened, and each fault against the alert that had to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.clock import iso
from monitor.demo.episodes import Episode
from monitor.demo.story import Fault

SETTLE_WINDOWS = 3
"""An alert that fires up to so many windows after a fault's end still tells of it."""
SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Played:
    """A fault as it was really injected; wall times are None while it did not happen."""

    fault: Fault
    begun: float
    ended: float

    def covers(self, episode: Episode, window: float) -> bool:
        """Whether the alert fired while the fault was there to be seen."""
        if self.fault.delay:
            return self.begun <= episode.fired.at <= self.ended + SETTLE_SECONDS
        return self.fault.begins < episode.fired.at <= self.fault.ends + SETTLE_WINDOWS * window

    def tells(self, episode: Episode) -> bool:
        """Whether the alert speaks of what the fault touches."""
        same_feature = bool(self.fault.feature) and episode.feature == self.fault.feature
        return episode.rule == self.fault.rule if not self.fault.feature else same_feature


@dataclass(frozen=True, slots=True)
class FaultResult:
    """One fault and how it was told of. Delays are in windows of event time, or in seconds for the slow server."""

    played: Played
    episode: Episode | None
    unit: str
    to_fire: float | None
    to_resolve: float | None


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """One alert and what it was about: a fault's name, or what the rows themselves say."""

    episode: Episode
    fault: str
    explanation: str


def verdicts(played: Sequence[Played], alerts: Sequence[Episode], window: float) -> list[FaultResult]:
    """For each fault the first alert of the rule that had to tell of it."""
    return [_verdict(one, alerts, window) for one in played]


def _verdict(played: Played, alerts: Sequence[Episode], window: float) -> FaultResult:
    fault = played.fault
    found = next(
        (
            episode
            for episode in alerts
            if episode.rule == fault.rule and played.tells(episode) and played.covers(episode, window)
        ),
        None,
    )
    unit, begins, ends, scale = "windows", fault.begins, fault.ends, window
    if fault.delay:
        unit, begins, ends, scale = "seconds", played.begun, played.ended, 1.0
    if found is None:
        return FaultResult(played, None, unit, None, None)
    to_resolve = (found.resolved.at - ends) / scale if found.resolved is not None else None
    return FaultResult(played, found, unit, (found.fired.at - begins) / scale, to_resolve)


Explain = Callable[[Episode], str]


def explained(
    alerts: Sequence[Episode], played: Sequence[Played], window: float, explain: Explain
) -> list[ExpectedAlert]:
    """Each alert with the fault it tells of; those without a fault are explained by what the rows say."""
    found = []
    for episode in alerts:
        causes = [one.fault for one in played if one.tells(episode) and one.covers(episode, window)]
        text = causes[0].title if causes else explain(episode)
        found.append(ExpectedAlert(episode, causes[0].name if causes else "", text))
    return found


def plain(verdict: FaultResult) -> dict[str, Any]:
    """A verdict as JSON."""
    fault, episode = verdict.played.fault, verdict.episode
    return {
        "name": fault.name,
        "title": fault.title,
        "begins": iso(fault.begins),
        "ends": iso(fault.ends),
        "injected_at": iso(verdict.played.begun),
        "removed_at": iso(verdict.played.ended),
        "rule": fault.rule,
        "feature": fault.feature,
        "fired": episode is not None,
        "unit": verdict.unit,
        "to_fire": verdict.to_fire,
        "to_resolve": verdict.to_resolve,
    }


def plain_alert(alert: ExpectedAlert) -> dict[str, Any]:
    """An alert as JSON."""
    episode = alert.episode
    return {
        "rule": episode.rule,
        "labels": dict(episode.labels),
        "fired_at": iso(episode.fired.at),
        "resolved_at": iso(episode.resolved.at) if episode.resolved is not None else None,
        "value": episode.fired.value,
        "level": episode.fired.level,
        "fault": alert.fault,
        "explanation": alert.explanation,
    }


def reasons(messages: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """How many messages were sent for which reason."""
    counts: dict[str, int] = {}
    for message in messages:
        counts[message["reason"]] = counts.get(message["reason"], 0) + 1
    return counts
