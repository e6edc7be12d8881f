"""What the button 'Details' shows: each alert's value against its limit, what moved, and where to look. Pure."""

from __future__ import annotations

from alerts.incidents.incident import Alert, Incident
from alerts.notify.slack.blocks import TEXT, escape, links, mrkdwn, section
from alerts.notify.slack.limits import Block, shrunk
from alerts.state.observation import Kind
from alerts.wording import clean, quantity, stamp

LISTED = 20
"""Alerts that are shown."""
MOVED = 3
"""Sentences on what moved, of each alert."""


def details(incident: Incident, page: str = "") -> tuple[str, list[Block]]:
    """The text and the blocks."""
    title = escape(f"{incident.title}, {incident.firing} firing of {incident.total}", 300)
    blocks: list[tuple[int, Block]] = [(0, section(f"*{title}*"))]
    # The last are the first to be left out.
    blocks += [(1, section(_alert(alert))) for alert in incident.alerts[:LISTED]]
    if incident.total > LISTED:
        more = f"+{incident.total - min(LISTED, len(incident.alerts)):,} more"
        blocks.append((0, {"type": "context", "elements": [mrkdwn(more)]}))
    if where := links(incident, page):
        blocks.append((2, section(where)))
    text = "\n".join([title, *(escape(f"{alert.subject} {alert.finding}", 200) for alert in incident.alerts[:LISTED])])
    return text[:TEXT], shrunk(blocks)


def _alert(alert: Alert) -> str:
    state = "firing" if alert.firing else f"over since {stamp(alert.ended or alert.since)}"
    lines = [f"*{escape(alert.subject, 200)}* · {escape(alert.rule, 120)} · {alert.severity} · {state}"]
    lines += [_values(alert)] if alert.cause is Kind.VALUE else [escape(alert.finding, 400)]
    lines += [f"• {escape(line, 300)}" for line in alert.moved[:MOVED]]
    lines += [f"{escape(name, 60)}: {escape(text, 200)}" for name, text in list(alert.annotations.items())[:3]]
    return "\n".join(lines)


def _values(alert: Alert) -> str:
    unit = alert.unit or alert.metric

    def shown(value: float | None) -> str:
        return "none" if value is None else escape(quantity(unit, value), 60)

    parts = [f"now {shown(alert.value)}", f"at worst {shown(alert.worst)}"]
    if alert.level is not None:
        parts.append(f"limit {'above' if alert.above else 'below'} {shown(alert.level)}")
    parts += [f"{alert.n:,} rows"] if alert.n else []
    return clean(f"{', '.join(parts)}; {alert.metric} since {stamp(alert.since)}", 600)
