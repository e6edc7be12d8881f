"""Incidents: the firing alerts of one model and group, as one message that opens, changes in place and resolves; as
data.

How they come about and move on is in `alerts.incidents.lifecycle`, what people do to them in
`alerts.incidents.actions`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from alerts.rules.rule import Severity
from alerts.state.observation import Kind
from alerts.wording import quantity

KEPT = 50
"""Alerts that an incident describes; of more only the number is known."""
MOVED = 3
"""Sentences on what moved that people are told."""
REPORTS = 5
"""Reports that an incident links to: the first, on the time when it began, and the newest."""


class Why(StrEnum):
    """Why a notification is owed. The first four change a message in place; the others are seen."""

    UPDATED = "updated"
    WATCHED_AGAIN = "watched_again"
    WATCHER_STOPPED = "watcher_stopped"
    """Watchkeeper was stopped: nobody knows how the incident goes on."""
    NEW_ALERTS = "new_alerts"
    SILENCED = "silenced"
    ACKNOWLEDGED = "acknowledged"
    REPEATED = "repeated"
    """It still fires, and nobody has acknowledged it for as long as the route says."""
    SEVERITY_ROSE = "severity_rose"
    FIRST = "first"
    RESOLVED = "resolved"

    @property
    def rank(self) -> int:
        return list(Why).index(self)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as people are told of it. Times are on the rule's clock."""

    fingerprint: str
    rule: str
    metric: str
    labels: dict[str, str]
    severity: Severity
    above: bool
    """Whether values above the level are the bad ones."""
    firing: bool
    cause: Kind
    since: float
    ended: float | None
    ended_why: str
    value: float | None
    level: float | None
    worst: float | None
    n: int
    text: str
    """Why there is no value, when that is the cause; else what holds beside it."""
    summary: str
    action: str
    runbook: str
    annotations: dict[str, str] = field(default_factory=dict)
    unit: str = ""
    """The name of a metric that value, level and worst have the unit of, where that is another one."""
    moved: tuple[str, ...] = ()
    """What moved in the data, a sentence each; as the check that measured it says."""

    def silence_labels(self, model: str) -> dict[str, str]:
        """What silences match on."""
        return {**self.labels, "model": model, "rule": self.rule, "severity": str(self.severity)}

    @property
    def subject(self) -> str:
        """What it is about: its label values, or the metric."""
        return " ".join(value for name, value in self.labels.items() if name != "scope") or self.metric

    @property
    def finding(self) -> str:
        """What was found, in numbers: ``3.2 > 0.1``, and beside what, while that lasts."""
        if self.cause is not Kind.VALUE or self.worst is None:
            return f"{'failed' if self.cause is Kind.ERROR else 'no data'} ({self.text})" if self.text else "no data"
        unit = self.unit or self.metric
        found = quantity(unit, self.worst)
        if self.level is not None:
            found = f"{found} {'>' if self.above else '<'} {quantity(unit, self.level)}"
        return f"{found} {self.text}" if self.text and self.firing else found

    @property
    def shown(self) -> tuple[Any, ...]:
        """What people see of how it goes on: a change of anything else is no news."""
        digits = [None if number is None else f"{number:.2g}" for number in (self.worst, self.level)]
        return (self.firing, self.severity, self.cause, *digits)

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts what matters most to the front."""
        far = 0.0
        if self.worst is not None and self.level is not None:
            far = abs(self.worst - self.level) / (abs(self.level) or 1.0)
        # All rows before a part of them: what has happened everywhere is no news of a segment.
        return (not self.firing, -self.severity.rank, "segment" in self.labels, -far, self.since, self.fingerprint)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody is on it. Times are wall time; it ends by itself, and when the incident becomes more severe."""

    by: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Silencing:
    """Somebody keeps the incident from people until then (wall time), by these silences."""

    by: str
    at: float
    until: float
    silences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A report on a window in which the incident was open. Times are in event time."""

    id: str
    check: str
    start: float
    end: float

    @property
    def path(self) -> str:
        """Below the page's address."""
        return f"/reports/{self.id}"


@dataclass(frozen=True, slots=True)
class PictureLink:
    """The picture of what moved when the incident began. Times are in event time."""

    id: str
    text: str
    """What it shows, in words."""
    start: float
    end: float

    def path(self, kind: str) -> str:
        """Below the page's address; `kind` is svg or png."""
        return f"/pictures/{self.id}.{kind}"


@dataclass(frozen=True, slots=True)
class Incident:
    """One model's trouble of one group. `since` and `ended` are on the rules' clock, `opened_at` and `resolved_at` on
    the wall's; the version goes up with every change that people see."""

    id: str
    model: str
    group: str
    severity: Severity
    """The highest that any of its alerts ever had."""
    since: float
    opened_at: float
    ended: float | None
    resolved_at: float | None
    version: int
    firing: int
    total: int
    """Alerts that were ever part of it."""
    alerts: tuple[Alert, ...]
    """The KEPT that matter most."""
    grave: int = 0
    """Alerts that began after it opened, as severe as it then was or more: news that people are to hear."""
    reports: tuple[ReportLink, ...] = ()
    """At most REPORTS."""
    acknowledged: Acknowledgement | None = None
    silenced: Silencing | None = None
    unwatched_since: float | None = None
    """When the watcher was stopped (wall time), until it is back."""
    picture: PictureLink | None = None

    @property
    def moved(self) -> tuple[str, ...]:
        """What moved, in the alerts that matter most; the first MOVED sentences, each with its segment."""
        lines = ((alert.labels.get("segment", ""), line) for alert in self.alerts for line in alert.moved)
        return tuple(dict.fromkeys(f"{of}: {line}" if of else line for of, line in lines))[:MOVED]

    @property
    def key(self) -> str:
        return incident_key(self.model, self.group)

    @property
    def resolved(self) -> bool:
        return self.resolved_at is not None

    @property
    def title(self) -> str:
        return f"{self.model or 'host'}: {self.group}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Incident:
        alerts = tuple(
            Alert(
                **{
                    **item,
                    "severity": Severity(item["severity"]),
                    "cause": Kind(item["cause"]),
                    "moved": tuple(item.get("moved", ())),
                }
            )
            for item in plain["alerts"]
        )
        reports = tuple(ReportLink(**item) for item in plain.get("reports", ()))
        acknowledged = Acknowledgement(**given) if (given := plain.get("acknowledged")) else None
        quiet = plain.get("silenced")
        silenced = Silencing(**{**quiet, "silences": tuple(quiet["silences"])}) if quiet else None
        picture = PictureLink(**link) if (link := plain.get("picture")) else None
        people = {"acknowledged": acknowledged, "silenced": silenced}
        parts = {"alerts": alerts, "reports": reports, "picture": picture, **people}
        return cls(**{**plain, "severity": Severity(plain["severity"]), **parts})


@dataclass(frozen=True, slots=True)
class LastNotified:
    """What a receiver was last told of an incident."""

    version: int
    severity: Severity
    total: int
    resolved: bool
    acknowledged: str = ""
    """By whom."""
    silenced_until: float | None = None
    unwatched: bool = False
    grave: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """An incident on its way to one receiver."""

    incident: Incident
    why: Why

    @property
    def about(self) -> Alert:
        """The alert that the news is about: the newest of new ones, else the one that matters most."""
        if self.why is Why.NEW_ALERTS:
            fresh = [alert for alert in self.incident.alerts if alert.firing]
            return max(fresh, key=lambda alert: alert.since, default=self.incident.alerts[0])
        return self.incident.alerts[0]


def incident_key(model: str, group: str) -> str:
    return f"{model}/{group}"
