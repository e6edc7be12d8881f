"""How an incident moves on: what an evaluation found makes of the incident as it was, and why people are to be told.

Pure: `advance` takes the incident as it was and what the rules say now, and returns it as it is with the reason, if
any, why people are to be told; `why_owed` says so for a receiver that was told something before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from alerts.incidents.incident import KEPT, REPORTS, Alert, Incident, LastNotified, PictureLink, ReportLink, Why
from alerts.rules.rule import Rule
from alerts.state.fingerprint import alert_fingerprint
from alerts.state.observation import Kind
from alerts.state.state import AlertState
from alerts.wording import Wording, clean


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
        if before is None or before.shown != alert.shown:
            # What moved is known of the windows that were beyond the level, and not of the one that ended it.
            kept = alert.moved or (before.moved if before else ())
            merged[alert.fingerprint] = replace(alert, moved=kept)
    new = [alert for alert in current if alert.fingerprint in begun and alert.fingerprint not in known]
    after = replace(
        incident,
        severity=max([incident.severity, *(alert.severity for alert in current)], key=lambda severity: severity.rank),
        firing=len(current),
        total=incident.total + len([fingerprint for fingerprint in begun if fingerprint not in known]),
        alerts=_most(merged.values()),
        grave=incident.grave + sum(alert.severity.rank >= incident.severity.rank for alert in new),
        ended=None if current else now,
        resolved_at=None if current else wall,
    )
    if after == incident:
        return incident, None
    if after.severity.rank > incident.severity.rank:
        after = replace(after, acknowledged=None)
    return replace(after, version=incident.version + 1), _why_changed(incident, after)


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


def why_owed(incident: Incident, seen: LastNotified | None) -> Why | None:
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
    if incident.grave > seen.grave:
        return Why.NEW_ALERTS
    if (incident.unwatched_since is not None) is not seen.unwatched:
        return Why.WATCHED_AGAIN if seen.unwatched else Why.WATCHER_STOPPED
    return Why.UPDATED


def seen_of(incident: Incident) -> LastNotified:
    return LastNotified(
        incident.version,
        incident.severity,
        incident.total,
        incident.resolved,
        incident.acknowledged.by if incident.acknowledged is not None else "",
        incident.silenced.until if incident.silenced is not None else None,
        incident.unwatched_since is not None,
        incident.grave,
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


def _why_changed(before: Incident, after: Incident) -> Why:
    if after.resolved:
        return Why.RESOLVED
    if after.severity.rank > before.severity.rank:
        return Why.SEVERITY_ROSE
    return Why.NEW_ALERTS if after.grave > before.grave else Why.UPDATED
