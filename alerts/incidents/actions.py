"""What people and the watcher itself do to an incident: acknowledge it, silence it, stop watching. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from alerts.incidents.incident import Acknowledgement, Incident, Silencing
from alerts.incidents.matcher import LENGTH, Matcher, Op


def acknowledge(incident: Incident, by: str, now: float, until: float) -> Incident:
    """The incident with somebody's word that they are on it. Raises ValueError when it is over."""
    if incident.resolved:
        raise ValueError("the incident is resolved already")
    return replace(incident, acknowledged=Acknowledgement(by, now, until), version=incident.version + 1)


def unacknowledged(incident: Incident) -> Incident:
    """The incident once its acknowledgement has run out."""
    return replace(incident, acknowledged=None, version=incident.version + 1)


def silenced(incident: Incident, by: str, now: float, until: float, silences: Iterable[str]) -> Incident:
    """The incident once these silences keep its alerts from people. Raises ValueError when it is over."""
    if incident.resolved:
        raise ValueError("the incident is resolved already")
    return replace(incident, silenced=Silencing(by, now, until, tuple(silences)), version=incident.version + 1)


def unsilenced(incident: Incident) -> Incident:
    """The incident once nothing silences it any more."""
    return replace(incident, silenced=None, version=incident.version + 1)


def unwatched(incident: Incident, now: float) -> Incident:
    """The incident of a watcher that stops at wall time `now`: from then on it may be over, or worse."""
    return replace(incident, unwatched_since=now, version=incident.version + 1)


def watched(incident: Incident) -> Incident:
    """The incident once somebody watches again."""
    return replace(incident, unwatched_since=None, version=incident.version + 1)


def silencing_matchers(incident: Incident) -> list[tuple[Matcher, ...]]:
    """What silences must match to keep quiet the rules that the incident is made of, on its model: one set, or several
    where the names of the rules are too long for one expression. Another rule of its group is still told of."""
    model = Matcher("model", Op.EQUAL, incident.model)
    rules = sorted({alert.rule for alert in incident.alerts})
    if len(rules) == 1:
        return [(model, Matcher("rule", Op.EQUAL, rules[0]))]
    # re.escape would also escape the dashes, which people are to read.
    names = [re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", rule) for rule in rules]
    return [(model, Matcher("rule", Op.REGEX, "|".join(part))) for part in _portions(names)]


def _portions(names: list[str]) -> list[list[str]]:
    """The names in portions that fit into one expression."""
    found: list[list[str]] = []
    for name in names:
        if found and len("|".join([*found[-1], name])) <= LENGTH:
            found[-1].append(name)
        else:
            found.append([name])
    return found
