"""An incident as a Slack message: Block Kit within Slack's limits, with plain text beside it. Pure.

Limits: https://docs.slack.dev/reference/block-kit/blocks and .../methods/chat.postMessage; Slack refuses a message that
is over one, so everything is cut here first.
"""

from __future__ import annotations

import re
from typing import Any

from alerts.duration import span
from alerts.incident import Alert, Incident, Why
from alerts.observation import Kind
from alerts.rule import Severity
from alerts.wording import clean, quantity, stamp

HEADER = 150
SECTION = 3000
FIELD = 2000
FIELDS = 10
ELEMENTS = 10
BLOCKS = 50
ALL_BLOCKS = 12_000
"""Characters of text in all blocks; Slack answers msg_blocks_too_long somewhat above."""
TEXT = 3000
LISTED = 10
"""Alerts named in a message; of the others, how many."""
SEGMENTS = 3
"""Of those others, alerts of segments that are named nevertheless."""

Block = dict[str, Any]
_MARK = {Severity.CRITICAL: "\N{LARGE RED CIRCLE}", Severity.WARNING: "\N{LARGE ORANGE CIRCLE}"}
_OTHER_MARK = "\N{LARGE BLUE CIRCLE}"
_RESOLVED_MARK = "\N{LARGE GREEN CIRCLE}"
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


def payload(incident: Incident, why: Why, page: str = "") -> dict[str, Any]:
    """The message: `text`, `blocks` and `metadata`. `page` is the address of Watchkeeper's page, for a link."""
    message = plain(incident, why)
    blocks = _blocks(incident, page)
    # Every part is cut to its share of the whole; text alone is what remains if that was not enough.
    return {**message, "blocks": blocks} if fits(blocks) else message


def plain(incident: Incident, why: Why) -> dict[str, Any]:
    """The message without blocks, for what Slack refuses to lay out."""
    state = "RESOLVED" if incident.resolved else "FIRING"
    text = f"{_mark(incident)} {state} {incident.severity} {escape(incident.title, 300)} — {_headline(incident, 2000)}"
    return {"text": text[:TEXT], "metadata": _metadata(incident, why)}


def reply(incident: Incident, why: Why) -> dict[str, Any]:
    """What is said in the message's thread when an incident resolves, gets more severe, is acknowledged, or goes on."""
    if why is Why.RESOLVED:
        lasted = span(max(0.0, (incident.ended or incident.since) - incident.since))
        text = f"{_RESOLVED_MARK} Resolved after {lasted}: {escape(incident.title, 300)}"
    elif why is Why.ACKNOWLEDGED and incident.acknowledged is not None:
        text = f"\N{EYES} {escape(incident.acknowledged.by, 200)} is on it, until {stamp(incident.acknowledged.until)}"
    elif why is Why.REPEATED:
        text = f"{_mark(incident)} Still firing, and nobody has acknowledged it: {_headline(incident, 2000)}"
    else:
        text = f"{_mark(incident)} Now *{incident.severity}*: {_headline(incident, 2000)}"
    return {"text": text[:TEXT], "metadata": _metadata(incident, why)}


def fits(blocks: list[Block]) -> bool:
    """Whether these blocks are within Slack's limits."""
    texts = [text for block in blocks for text in _texts(block)]
    return (
        0 < len(blocks) <= BLOCKS
        and sum(len(text) for text, _ in texts) <= ALL_BLOCKS
        and all(0 < len(text) <= limit for text, limit in texts)
        and all(len(block.get("fields", ())) <= FIELDS for block in blocks)
        and all(len(block.get("elements", ())) <= ELEMENTS for block in blocks)
    )


def _texts(block: Block) -> list[tuple[str, int]]:
    limit = HEADER if block["type"] == "header" else SECTION
    found = [(block["text"]["text"], limit)] if "text" in block else []
    found += [(item["text"], FIELD) for item in block.get("fields", ())]
    return found + [(item["text"], FIELD) for item in block.get("elements", ())]


def _blocks(incident: Incident, page: str) -> list[Block]:
    state = "Resolved" if incident.resolved else "Firing"
    title = clean(f"{_mark(incident)} {state} · {incident.title}", HEADER)
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        _section(_headline(incident, 1500)),
        {"type": "section", "fields": [_mrkdwn(text) for text in _fields(incident)]},
    ]
    if incident.total > 1:
        blocks.append(_section(_list(incident)))
    if incident.moved:
        blocks.append(_section(_moved(incident)))
    if advice := _advice(incident.alerts[0]):
        blocks.append(_section(advice))
    if incident.reports and _is_link(page):
        blocks.append(_section(_reports(incident, page)))
    blocks.append({"type": "context", "elements": [_mrkdwn(_footer(incident, page))]})
    return blocks


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, str]:
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


def _footer(incident: Incident, page: str) -> str:
    parts = [f"rule {escape(incident.alerts[0].rule, 120)}", f"version {incident.version}"]
    if _LINK.fullmatch(page) and len(page) <= 1000:
        parts.insert(0, f"<{page.replace('&', '&amp;')}|Watchkeeper>")
    return " · ".join(parts)


def _mark(incident: Incident) -> str:
    return _RESOLVED_MARK if incident.resolved else _MARK.get(incident.severity, _OTHER_MARK)


def _metadata(incident: Incident, why: Why) -> dict[str, Any]:
    """Names the delivery, so that a message sent twice can be recognised."""
    delivery = {"incident": incident.id, "key": incident.key, "version": incident.version, "why": why.value}
    return {"event_type": "watchkeeper_incident", "event_payload": delivery}
