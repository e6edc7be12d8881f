"""Alerts as Alertmanager's API v2 takes them (POST /api/v2/alerts): who is told, with which labels and times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alerts.incident import Alert
from alerts.silence import Silence

RESOLVED_AGAIN = 900.0
"""Seconds for which a resolved alert is told again: one message that gets lost must not leave it firing there."""
LONGEST = 4000
RESERVED = frozenset({"alertname", "model", "severity"})
"""Labels that are Watchkeeper's own."""


@dataclass(frozen=True, slots=True)
class Push:
    """One alert on its way. Times are epoch seconds on the wall's clock: an `endsAt` of event time would lie in the
    past, and Alertmanager drops such an alert without a word."""

    alert: Alert
    model: str
    started_at: float
    ended_at: float | None = None

    @property
    def name(self) -> str:
        """For logs: the rule and what it is about."""
        return f"{self.alert.rule} ({self.model or 'host'} {self.alert.subject})"


def hold_seconds(evaluate: float, resend: float) -> float:
    """How long Alertmanager lets a firing alert live without hearing of it: as Prometheus does, four times the longer
    interval, so that one lost message resolves nothing."""
    return 4.0 * max(evaluate, resend)


def told(pushes: Iterable[Push], silences: Iterable[Silence], now: float) -> list[Push]:
    """Those that Alertmanager is told of. An alert that a silence muted when it began to fire, and still mutes, is kept
    back. One that began earlier goes on: Alertmanager knows it by then, and would announce its end."""
    active = [silence for silence in silences if silence.active(now)]
    return [push for push in pushes if not _muted(push, active)]


def payload(
    pushes: Iterable[Push], now: float, *, hold: float, labels: Mapping[str, str], url: str
) -> list[dict[str, Any]]:
    """The request's body. `hold`: seconds from `now` until a firing alert ends by itself; `labels` are added to each;
    `url` is where people find Watchkeeper's page."""
    return [_alert(push, now, hold, labels, url) for push in pushes]


def _alert(push: Push, now: float, hold: float, extra: Mapping[str, str], url: str) -> dict[str, Any]:
    alert = push.alert
    own = {"alertname": alert.rule, "model": push.model, "severity": str(alert.severity)}
    plain = {
        "labels": _texts({**extra, **alert.labels, **own}),
        "annotations": _texts(_annotations(push)),
        "startsAt": _stamp(push.started_at),
        "endsAt": _stamp(now + hold if push.ended_at is None else push.ended_at),
    }
    return {**plain, "generatorURL": url} if url else plain


def _annotations(push: Push) -> dict[str, str]:
    alert = push.alert
    return {
        "summary": alert.summary,
        "description": alert.action,
        "runbook_url": alert.runbook,
        "value": alert.finding,
        # On the rule's own clock: for a replay, or a window that closed late, not the time at which it fired.
        "since": _stamp(alert.since),
    }


def _muted(push: Push, active: Iterable[Silence]) -> bool:
    labels = push.alert.silence_labels(push.model)
    return any(
        silence.starts_at <= push.started_at and all(matcher.matches(labels) for matcher in silence.matchers)
        for silence in active
    )


def _texts(pairs: Mapping[str, str]) -> dict[str, str]:
    """Without empty ones, which are no labels; without what is no UTF-8, and nothing endless."""
    return {name: value.encode("utf-8", "replace").decode()[:LONGEST] for name, value in pairs.items() if value}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
