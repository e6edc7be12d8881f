"""An incident as a Slack message: Block Kit within Slack's limits, with plain text beside it. Pure."""

from __future__ import annotations

import re
from typing import Any

from alerts.duration import span
from alerts.incidents.incident import Alert, Incident, Notice, Why
from alerts.notify.grafana_link import board_link
from alerts.notify.slack.limits import HEADER, SECTION, Block, shrunk
from alerts.rules.rule import Severity
from alerts.state.observation import Kind
from alerts.wording import clean, quantity, stamp

TEXT = 3000
LISTED = 10
"""Alerts named in a message; of the others, how many."""
SEGMENTS = 3
"""Of those others, alerts of segments that are named nevertheless."""
_MARK = {Severity.CRITICAL: "\N{LARGE RED CIRCLE}", Severity.WARNING: "\N{LARGE ORANGE CIRCLE}"}
_OTHER_MARK = "\N{LARGE BLUE CIRCLE}"
_RESOLVED_MARK = "\N{LARGE GREEN CIRCLE}"
_SILENT_MARK = "\N{BELL WITH CANCELLATION STROKE}"
_STOPPED_MARK = "\N{WARNING SIGN}"
_LINK = re.compile(r"https?://[^\s<>|]+")


def escape(text: str, limit: int) -> str:
    """Data as mrkdwn shows it literally, on one line, at most `limit` characters.

    >>> escape("<!channel> & co", 100), escape("a<<<<", 9)
    ('&lt;!channel&gt; &amp; co', 'a&lt;…')
    """
    escaped = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= limit:
        return escaped
    return re.sub(r"&[a-z]*$", "", escaped[: limit - 1]) + "…"


def when(seconds: float) -> str:
    """A moment of the wall clock, which Slack shows in each reader's time zone."""
    return f"<!date^{int(seconds)}^{{date_short_pretty}} {{time}}|{stamp(seconds)}>"


def mention(name: str) -> str:
    """What calls somebody: a user's or a user group's id, here, channel or everyone.

    >>> mention("U012AB3CD"), mention("S012AB3CD"), mention("here")
    ('<@U012AB3CD>', '<!subteam^S012AB3CD>', '<!here>')
    """
    if name in ("here", "channel", "everyone"):
        return f"<!{name}>"
    return f"<!subteam^{name}>" if name.startswith("S") else f"<@{name}>"


def payload(
    incident: Incident,
    why: Why,
    page: str = "",
    *,
    grafana: str = "",
    buttons: Block | None = None,
    calling: str = "",
) -> dict[str, Any]:
    """The message: `text`, `blocks` and `metadata`. `page` and `grafana` are the addresses of Watchkeeper's page and of
    Grafana, for links; `buttons` are the last row; `calling` mentions people."""
    message = plain(incident, why, calling)
    blocks = shrunk(_blocks(incident, page, grafana, calling) + ([(0, buttons)] if buttons is not None else []))
    return {**message, "blocks": blocks} if blocks else message


def plain(incident: Incident, why: Why, calling: str = "") -> dict[str, Any]:
    """The message without blocks, for what Slack refuses to lay out."""
    state = "RESOLVED" if incident.resolved else "FIRING"
    if incident.unwatched_since is not None and not incident.resolved:
        state = f"{state} when the watcher stopped:"
    text = f"{_mark(incident)} {state} {incident.severity} {escape(incident.title, 300)} — {_headline(incident, 2000)}"
    return {"text": _calling(calling, text)[:TEXT], "metadata": _metadata(incident, why)}


def reply(incident: Incident, why: Why, calling: str = "") -> dict[str, Any]:
    """Return what the message's thread says when an incident resolves, gets more severe, gets new alerts, is
    acknowledged or silenced, or goes on."""
    return {"text": _calling(calling, _said(incident, why))[:TEXT], "metadata": _metadata(incident, why)}


def _said(incident: Incident, why: Why) -> str:
    if why is Why.RESOLVED:
        lasted = span(max(0.0, (incident.ended or incident.since) - incident.since))
        return f"{_RESOLVED_MARK} Resolved after {lasted}: {escape(incident.title, 300)}"
    if why is Why.ACKNOWLEDGED and incident.acknowledged is not None:
        return f"\N{EYES} {escape(incident.acknowledged.by, 200)} is on it, until {when(incident.acknowledged.until)}"
    if why is Why.SILENCED and incident.silenced is not None:
        quiet = incident.silenced
        return f"{_SILENT_MARK} {escape(quiet.by, 200)} has silenced this until {when(quiet.until)}"
    if why is Why.NEW_ALERTS:
        news = escape(Notice(incident, why).about.summary, 2000) or escape(incident.title, 300)
        return f"{_mark(incident)} New: {news} ({incident.firing:,} alerts firing of {incident.total:,})"
    if why is Why.REPEATED:
        return f"{_mark(incident)} Still firing, and nobody has acknowledged it: {_headline(incident, 2000)}"
    return f"{_mark(incident)} Now *{incident.severity}*: {_headline(incident, 2000)}"


def _calling(calling: str, text: str) -> str:
    return f"{calling} {text}" if calling else text


def _blocks(incident: Incident, page: str, grafana: str, calling: str) -> list[tuple[int, Block]]:
    """Each with a number: the higher, the sooner it is left out of what would be too large."""
    state = "Resolved" if incident.resolved else "Firing"
    title = clean(f"{_mark(incident)} {state} · {incident.title}", HEADER)
    blocks: list[tuple[int, Block]] = [
        (0, {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}),
        (0, section(_calling(calling, _headline(incident, 1500)))),
        (0, {"type": "section", "fields": [mrkdwn(text) for text in _fields(incident)]}),
    ]
    if incident.unwatched_since is not None and not incident.resolved:
        blocks.insert(1, (0, section(_unwatched(incident.unwatched_since))))
    if incident.total > 1:
        blocks.append((2, section(_list(incident))))
    if incident.moved:
        blocks.append((3, section(_moved(incident))))
    if advice := _advice(incident.alerts[0]):
        blocks.append((1, section(advice)))
    if incident.reports and _is_link(page):
        blocks.append((4, section(_reports(incident, page))))
    blocks.append((0, {"type": "context", "elements": [mrkdwn(_footer(incident, page, grafana))]}))
    return blocks


def _unwatched(since: float) -> str:
    return f"{_STOPPED_MARK} *Watcher stopped* {when(since)}: how it goes on is not known until Watchkeeper runs again."


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _headline(incident: Incident, limit: int) -> str:
    return escape(incident.alerts[0].summary, limit) or escape(incident.title, limit)


def _fields(incident: Incident) -> list[str]:
    worst = incident.alerts[0]
    fields = [
        f"*Severity*\n{incident.severity}",
        f"*Since*\n{stamp(incident.since)}",
        f"*Worst so far*\n{escape(f'{worst.subject} {worst.finding}', 300)}",
        f"*Alerts*\n{incident.firing} firing of {incident.total}",
    ]
    if incident.acknowledged is not None and incident.ended is None:
        fields.append(f"*Acknowledged*\n{escape(incident.acknowledged.by, 100)}")
    if incident.silenced is not None and incident.ended is None:
        quiet = incident.silenced
        fields.append(f"*Silenced*\nuntil {when(quiet.until)} by {escape(quiet.by, 100)}")
    if incident.ended is not None:
        fields[3] = f"*Until*\n{stamp(incident.ended)}"
    elif worst.cause is Kind.VALUE and worst.value is not None and worst.value != worst.worst:
        fields.append(f"*At the last update*\n{escape(quantity(worst.metric, worst.value), 100)}")
    return fields


def _list(incident: Incident) -> str:
    lines = [_line(alert) for alert in incident.alerts[:LISTED]]
    if incident.total > len(lines):
        lines.append(f"+{incident.total - len(lines):,} more")
    if worst := [alert for alert in incident.alerts[LISTED:] if "segment" in alert.labels and alert.firing]:
        lines += ["Worst segments among them:", *(_line(alert) for alert in worst[:SEGMENTS])]
    while len("\n".join(lines)) > SECTION:
        # The longest says the least in its place.
        lines.remove(max(lines, key=len))
    return "\n".join(lines)


def _line(alert: Alert) -> str:
    about = f"• *{escape(alert.subject, 120)}* {escape(alert.finding, 80)}"
    return about if alert.firing else f"{about} — over since {stamp(alert.ended or alert.since)}"


def _moved(incident: Incident) -> str:
    return "\n".join(["*What moved*", *(f"• {escape(line, 300)}" for line in incident.moved)])


def _advice(alert: Alert) -> str:
    parts = [f"*What to do*  {escape(alert.action, 1500)}"] if alert.action else []
    if _LINK.fullmatch(alert.runbook) and len(alert.runbook) <= 1000:
        parts.append(f"<{alert.runbook.replace('&', '&amp;')}|Runbook>")
    elif alert.runbook:
        parts.append(f"*Runbook*  {escape(alert.runbook, 500)}")
    return "\n".join(parts)


def links(incident: Incident, page: str) -> str:
    """Where more is to be seen: the page, the runbook, the reports."""
    parts = [f"<{page.replace('&', '&amp;')}|Watchkeeper>"] if _is_link(page) else []
    runbook = incident.alerts[0].runbook
    if _LINK.fullmatch(runbook) and len(runbook) <= 1000:
        parts.append(f"<{runbook.replace('&', '&amp;')}|Runbook>")
    first = [" · ".join(parts)] if parts else []
    return "\n".join([*first, _reports(incident, page)] if incident.reports and _is_link(page) else first)


def _reports(incident: Incident, page: str) -> str:
    base = page.rstrip("/").replace("&", "&amp;")
    links = [
        f"<{base}{report.path}|{escape(report.check, 100)}, {stamp(report.start)} – {stamp(report.end)}>"
        for report in incident.reports
    ]
    return f"*Evidently reports*  {' · '.join(links)}"


def _is_link(page: str) -> bool:
    # Five of them must fit into a section.
    return bool(_LINK.fullmatch(page)) and len(page) <= 300


def _footer(incident: Incident, page: str, grafana: str) -> str:
    places = {"Watchkeeper": page, "Grafana": board_link(grafana, incident)}
    # Two of them must fit beside the rest.
    written = {name: url.replace("&", "&amp;") for name, url in places.items() if _LINK.fullmatch(url)}
    found = [f"<{url}|{name}>" for name, url in written.items() if len(url) <= 1000]
    return " · ".join([*found, f"rule {escape(incident.alerts[0].rule, 120)}", f"version {incident.version}"])


def _mark(incident: Incident) -> str:
    return _RESOLVED_MARK if incident.resolved else _MARK.get(incident.severity, _OTHER_MARK)


def _metadata(incident: Incident, why: Why) -> dict[str, Any]:
    """Names the delivery, so that a message sent twice can be recognised."""
    delivery = {"incident": incident.id, "key": incident.key, "version": incident.version, "why": why.value}
    return {"event_type": "watchkeeper_incident", "event_payload": delivery}
