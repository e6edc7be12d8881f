"""Alerts as Alertmanager's API v2 takes them (POST /api/v2/alerts): who is told, with which labels and times. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alerts.incidents.incident import Alert
from alerts.incidents.silence import Silence

RESOLVED_AGAIN = 900.0
"""Seconds for which a resolved alert is told again: one message that gets lost must not leave it firing there."""
LONGEST = 4000
RESERVED = frozenset({"alertname", "model", "severity"})
"""Labels that are Watchkeeper's own."""
_NOT_OF_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class Push:
    """One alert on its way. Times are epoch seconds on the wall's clock: an `endsAt` of event time would lie in the
    past, and Alertmanager drops such an alert without a word."""

    alert: Alert
    model: str
    started_at: float
    ended_at: float | None = None
    in_event_time: bool = False
    """Whether the rule's own clock is that of the events."""
    report: str = ""
    """The newest report's path below the page's address."""
    picture: str = ""
    """The path of the incident's picture."""

    @property
    def name(self) -> str:
        """For logs: the rule and what it is about."""
        return f"{self.alert.rule} ({self.model or 'host'} {self.alert.subject})"


def hold_seconds(evaluate: float, resend: float) -> float:
    """How long Alertmanager lets a firing alert live without hearing of it: as Prometheus does, four times the longer
    interval, so that one lost message resolves nothing."""
    return 4.0 * max(evaluate, resend)


def not_silenced(pushes: Iterable[Push], silences: Iterable[Silence], now: float) -> list[Push]:
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
    # A clock that was put back must not make an alert end before it began (refused), or end later (still firing).
    ends = now + hold if push.ended_at is None else min(push.ended_at, now)
    plain = {
        "labels": _texts({_name(name): value for name, value in {**extra, **alert.labels, **own}.items()}),
        "annotations": _texts(_annotations(push, url)),
        "startsAt": _stamp(min(push.started_at, ends, now)),
        "endsAt": _stamp(ends),
    }
    return {**plain, "generatorURL": url} if url else plain


def _annotations(push: Push, url: str) -> dict[str, str]:
    alert = push.alert
    since = _stamp(alert.since) if alert.since else ""
    return {
        **{_name(name): text for name, text in alert.annotations.items()},
        "summary": alert.summary,
        "description": alert.action,
        "runbook_url": alert.runbook,
        # Nothing, where an earlier process told the beginning: what it found is gone.
        "value": alert.finding if alert.firing or alert.worst is not None else "",
        # The rule's own clock says since when: of a rule over windows that is history's, or late by hours.
        "event_time" if push.in_event_time else "since": since,
        "report_url": url.rstrip("/") + push.report if url and push.report else "",
        "picture_url": url.rstrip("/") + push.picture if url and push.picture else "",
    }


def _muted(push: Push, active: Iterable[Silence]) -> bool:
    labels = push.alert.silence_labels(push.model)
    return any(
        silence.starts_at <= push.started_at and all(matcher.matches(labels) for matcher in silence.matchers)
        for silence in active
    )


def _name(text: str) -> str:
    """As Prometheus wants the name of a label; with another one the alert would be refused."""
    plain = _NOT_OF_A_NAME.sub("_", text)
    return f"_{plain}" if plain[:1].isdigit() else plain


def _texts(pairs: Mapping[str, str]) -> dict[str, str]:
    """Without empty ones, which are no labels; without what is no UTF-8, and nothing endless."""
    return {name: value.encode("utf-8", "replace").decode()[:LONGEST] for name, value in pairs.items() if value}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
