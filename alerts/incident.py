"""Incidents: the firing alerts of one model and group, as one message that opens, changes in place and resolves.

Pure: `advance` takes the incident as it was and what the rules say now, and returns it as it is with the reason, if
any, why people are to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from alerts.fingerprint import alert_fingerprint
from alerts.observation import Kind
from alerts.rule import Rule, Severity
from alerts.state import AlertState
from alerts.wording import Wording, clean, quantity

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
    def _shown(self) -> tuple[Any, ...]:
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
class Seen:
    """What a receiver was last told of an incident."""

    version: int
    severity: Severity
    total: int
    resolved: bool
    acknowledged: str = ""
    """By whom."""
    silenced_until: float | None = None
    unwatched: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """An incident on its way to one receiver."""

    incident: Incident
    why: Why


def incident_key(model: str, group: str) -> str:
    return f"{model}/{group}"


def alert_of(rule: Rule, model: str, state: AlertState, ended: tuple[float, str] | None = None) -> Alert:
    """A firing alert, or one that has `ended` (when, why); its texts are still to be worded."""
    rule = rule.of(state.labels)
    return Alert(
        fingerprint=alert_fingerprint(rule.name, model, state.labels),
        rule=rule.name,
        metric=rule.metric,
        labels=dict(state.labels),
        severity=rule.severity,
        above=state.side != "below" if state.side else rule.below is None,
        firing=ended is None,
        cause=state.cause,
        since=0.0 if state.since is None else state.since,
        ended=None if ended is None else ended[0],
        ended_why="" if ended is None else ended[1],
        value=state.value,
        level=state.level,
        worst=state.worst,
        n=state.n,
        text=state.text,
        summary="",
        action=rule.action,
        runbook=rule.runbook,
        annotations=dict(rule.annotations),
        unit=rule.unit,
    )


def worded(alert: Alert, rule: Rule, model: str, wording: Wording) -> Alert:
    """The alert with what its rule says filled in; a text that can't be is replaced by a plain summary, and stands as
    it was written elsewhere."""
    rule = rule.of(tuple(alert.labels.items()))
    subject = "" if alert.subject == alert.metric else f"{alert.subject} "
    plain = clean(f"{alert.metric} {subject}{alert.finding}")
    segment = alert.labels.get("segment", "")
    values = {"labels": alert.labels, "model": model, "rule": alert.rule, "n": alert.n, "since": alert.since}
    values |= {"value": alert.value, "level": alert.level, "worst": alert.worst, "severity": str(alert.severity)}

    def filled(text: str) -> str:
        return wording.render(text, values, clean(text)) if "{" in text else text

    # A summary tells of a value, and without one there is none to tell of.
    summary = wording.render(rule.summary, values, plain) if alert.cause is Kind.VALUE else plain
    return replace(
        alert,
        summary=summary if segment in summary else clean(f"{segment}: {summary}"),
        action=filled(rule.action),
        runbook=filled(rule.runbook),
        annotations={name: filled(text) for name, text in rule.annotations.items()},
    )


def advance(
    incident: Incident | None,
    firing: Iterable[Alert],
    ended: Iterable[Alert],
    begun: Collection[str],
    *,
    model: str,
    group: str,
    now: float,
    wall: float,
    new_id: Callable[[], str],
) -> tuple[Incident | None, Why | None]:
    """The incident after an evaluation at `now` on the rules' clock, `wall` on the wall's, and why to tell people.

    `firing` are all alerts of the group that fire now, `ended` those that stopped with this evaluation, `begun` the
    fingerprints of those that began.
    """
    current, stopped = list(firing), list(ended)
    if incident is None:
        if not current:
            return None, None
        opened = _opened(current, model, group, wall, new_id())
        return opened, Why.FIRST
    known = {alert.fingerprint: alert for alert in incident.alerts}
    merged = {**known, **_abandoned(known.values(), current, now)}
    for alert in (*stopped, *current):
        before = known.get(alert.fingerprint)
        if before is None or before._shown != alert._shown:
            # What moved is known of the windows that were beyond the level, and not of the one that ended it.
            kept = alert.moved or (before.moved if before else ())
            merged[alert.fingerprint] = replace(alert, moved=kept)
    after = replace(
        incident,
        severity=max([incident.severity, *(alert.severity for alert in current)], key=lambda severity: severity.rank),
        firing=len(current),
        total=incident.total + len([fingerprint for fingerprint in begun if fingerprint not in known]),
        alerts=_most(merged.values()),
        ended=None if current else now,
        resolved_at=None if current else wall,
    )
    if after == incident:
        return incident, None
    if after.severity.rank > incident.severity.rank:
        after = replace(after, acknowledged=None)
    return replace(after, version=incident.version + 1), _why_changed(incident, after, bool(begun))


def with_report(incident: Incident, report: ReportLink) -> Incident | None:
    """The incident with a link to the report, if it was open in the report's window and knows nothing of it yet."""
    over = incident.ended is not None and incident.ended <= report.start
    if over or incident.since >= report.end or report in incident.reports:
        return None
    reports = (*incident.reports, report)
    reports = (*reports[:1], *reports[1:][1 - REPORTS :])
    return replace(incident, reports=reports, version=incident.version + 1)


def with_picture(incident: Incident, picture: PictureLink) -> Incident:
    """The incident with its picture."""
    return replace(incident, picture=picture, version=incident.version + 1)


def why_owed(incident: Incident, seen: Seen | None) -> Why | None:
    """Why a receiver that was last told `seen` is to be told of the incident as it is now; None if it knows."""
    if seen is None:
        return Why.RESOLVED if incident.resolved else Why.FIRST
    if incident.version <= seen.version:
        return None
    if incident.resolved and not seen.resolved:
        return Why.RESOLVED
    if incident.severity.rank > seen.severity.rank:
        return Why.SEVERITY_ROSE
    if incident.acknowledged is not None and incident.acknowledged.by != seen.acknowledged:
        return Why.ACKNOWLEDGED
    if incident.silenced is not None and incident.silenced.until != seen.silenced_until:
        return Why.SILENCED
    if incident.total > seen.total:
        return Why.NEW_ALERTS
    if (incident.unwatched_since is not None) is not seen.unwatched:
        return Why.WATCHED_AGAIN if seen.unwatched else Why.WATCHER_STOPPED
    return Why.UPDATED


def seen_of(incident: Incident) -> Seen:
    return Seen(
        incident.version,
        incident.severity,
        incident.total,
        incident.resolved,
        incident.acknowledged.by if incident.acknowledged is not None else "",
        incident.silenced.until if incident.silenced is not None else None,
        incident.unwatched_since is not None,
    )


def _opened(firing: list[Alert], model: str, group: str, wall: float, id: str) -> Incident:
    return Incident(
        id=id,
        model=model,
        group=group,
        severity=max((alert.severity for alert in firing), key=lambda severity: severity.rank),
        since=min(alert.since for alert in firing),
        opened_at=wall,
        ended=None,
        resolved_at=None,
        version=1,
        firing=len(firing),
        total=len(firing),
        alerts=_most(firing),
    )


def _abandoned(known: Iterable[Alert], firing: list[Alert], now: float) -> dict[str, Alert]:
    """Alerts that were told of as firing and are the group's no longer, such as after a rule changed its group."""
    still = {alert.fingerprint for alert in firing}
    return {
        alert.fingerprint: replace(alert, firing=False, ended=now, ended_why="rule_changed")
        for alert in known
        if alert.firing and alert.fingerprint not in still
    }


def _most(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda alert: alert.order)[:KEPT])


def _why_changed(before: Incident, after: Incident, begun: bool) -> Why:
    if after.resolved:
        return Why.RESOLVED
    if after.severity.rank > before.severity.rank:
        return Why.SEVERITY_ROSE
    return Why.NEW_ALERTS if begun else Why.UPDATED
