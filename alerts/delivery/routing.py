"""Who is told of an incident, and when nobody is: routes, mute times and inhibition, as in Alertmanager. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from alerts.delivery.receiver_settings import NAME
from alerts.duration import Seconds
from alerts.incidents.incident import Alert, Incident
from alerts.incidents.silence import Matcher

Labels = Mapping[str, str]
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD = 8 * 86400.0
"""A mute time ends within a week, or is looked at again after this."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    return tuple(Matcher.parse(text) for text in texts)


class Route(_Part):
    """Sends incidents whose labels match all `matchers` to its receivers; the first route that matches decides, unless
    it says `continue`."""

    matchers: list[str] = []
    """Such as severity=critical or model=~"delays|fares"; none matches everything."""
    receivers: list[str]
    """Names; none means that nobody is told."""
    continue_: bool = Field(False, alias="continue")
    """Look at the next routes, too."""
    mute_times: list[str] = []
    """Names of times in which this route's receivers are not told."""
    repeat: Seconds | None = Field(None, ge=60.0)
    """Tell again of what still fires and nobody has acknowledged, after so long."""
    _parsed: tuple[Matcher, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _parse(self) -> Route:
        self._parsed = _matchers(self.matchers)
        return self

    def matches(self, labels: Labels) -> bool:
        return all(matcher.matches(labels) for matcher in self._parsed)


class Inhibition(_Part):
    """While an alert that matches `source` fires, those that match `target` and share the `equal` labels are held back:
    a dead server's drift is nobody's news."""

    source: list[str] = Field(min_length=1)
    """Matchers of the alerts that hold back."""
    target: list[str] = Field(min_length=1)
    """Matchers of the alerts that are held back."""
    equal: list[str] = ["model"]
    """Labels that both must have the same."""
    _source: tuple[Matcher, ...] = PrivateAttr(())
    _target: tuple[Matcher, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _parse(self) -> Inhibition:
        self._source, self._target = _matchers(self.source), _matchers(self.target)
        return self

    def holds_back(self, labels: Labels, firing: Iterable[Labels]) -> bool:
        """Whether one of the firing alerts holds back the alert with these labels. What matches both sides is held back
        by nothing, as in Alertmanager: two such alerts would silence each other."""
        if not all(matcher.matches(labels) for matcher in self._target):
            return False
        if all(matcher.matches(labels) for matcher in self._source):
            return False
        return any(
            all(matcher.matches(other) for matcher in self._source)
            and all(labels.get(name, "") == other.get(name, "") for name in self.equal)
            for other in firing
        )


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value!r}; write one such as Europe/Berlin") from None
    return value


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class MuteTime(_Part):
    """Times of the week, in one time zone, by the wall clock: summer time is the zone's own affair."""

    name: str = Field(pattern=NAME)
    """What routes call it."""
    days: list[Day] = Field(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1)
    """Days on which its spans start."""
    times: list[str] = Field(["00:00-24:00"], min_length=1)
    """Spans such as 22:00-06:00, which end the next day if their end is not after their start."""
    time_zone: TimeZone = "UTC"
    """Whose wall clock `times` are of."""
    _spans: tuple[tuple[int, int], ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _parse(self) -> MuteTime:
        self._spans = tuple(_span(text) for text in self.times)
        return self

    def until(self, now: float) -> float | None:
        """When the mute time that holds at `now` (epoch seconds) ends; None outside of any."""
        at, zone = now, ZoneInfo(self.time_zone)
        while at - now < AHEAD:
            end = self._end(datetime.fromtimestamp(at, zone))
            if end is None:
                break
            at = end.astimezone(UTC).timestamp()
        return at if at > now else None

    def _end(self, local: datetime) -> datetime | None:
        for back in (0, 1):
            day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) - timedelta(days=back)
            if _DAYS[day.weekday()] not in self.days:
                continue
            for start, stop in self._spans:
                begins, ends = _minute(day, start), _minute(day, stop)
                if begins.timestamp() <= local.timestamp() < ends.timestamp():
                    return ends
        return None


def _minute(day: datetime, minutes: int) -> datetime:
    days, rest = divmod(minutes, 24 * 60)
    return (day + timedelta(days=days)).replace(hour=rest // 60, minute=rest % 60)


def _span(text: str) -> tuple[int, int]:
    """Minutes of the day from which to which; the end lies behind the start.

    >>> _span("22:00-06:00")
    (1320, 1800)
    """
    begin, dash, end = text.replace(" ", "").partition("-")
    if not dash or not _CLOCK.fullmatch(begin) or not _CLOCK.fullmatch(end) or begin == "24:00":
        raise ValueError(f"{text!r} is no time of day; write from-to, such as 22:00-06:00")
    start, stop = (int(part[:-3]) * 60 + int(part[-2:]) for part in (begin, end))
    return start, stop if stop > start else stop + 24 * 60


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver that is to be told of an incident, and how the first route that names it wants it told."""

    receiver: str
    mute_times: tuple[str, ...] = ()
    repeat: float | None = None


class Routing:
    """The config's routes; without any, every receiver is told of everything."""

    def __init__(
        self, receivers: Sequence[str], routes: Sequence[Route] = (), mute_times: Iterable[MuteTime] = ()
    ) -> None:
        self.receivers = list(receivers)
        self._routes = list(routes) or [Route(receivers=self.receivers)]
        self._mute_times = {item.name: item for item in mute_times}

    def targets(self, incident: Incident) -> list[Target]:
        """Whom the routes name, in the order of the receivers."""
        found: dict[str, Target] = {}
        labels = incident_labels(incident)
        for route in self._routes:
            if not route.matches(labels):
                continue
            for name in route.receivers:
                found.setdefault(name, Target(name, tuple(route.mute_times), route.repeat))
            if not route.continue_:
                break
        return [found[name] for name in self.receivers if name in found]

    def muted_until(self, incident: Incident, receiver: str, now: float) -> float | None:
        """When the mute time that keeps this receiver from hearing of the incident at `now` ends; None if none does."""
        target = next((item for item in self.targets(incident) if item.receiver == receiver), None)
        if target is None:
            return None
        ends = [self._mute_times[name].until(now) for name in target.mute_times]
        return max((end for end in ends if end is not None), default=None)


def incident_labels(incident: Incident) -> dict[str, str]:
    """What routes match on: model, group, the highest severity, and the labels (and the rule) that all alerts of the
    incident share."""
    shared: dict[str, str] = {}
    for place, alert in enumerate(incident.alerts):
        own = {**alert.labels, "rule": alert.rule}
        shared = own if place == 0 else {name: value for name, value in shared.items() if own.get(name) == value}
    return {**shared, "model": incident.model, "group": incident.group, "severity": incident.severity.value}


def inhibited(alert: Alert, model: str, rules: Iterable[Inhibition], firing: Collection[Labels]) -> bool:
    """Whether a firing alert keeps this one back."""
    labels: dict[str, Any] = alert.silence_labels(model)
    return any(rule.holds_back(labels, firing) for rule in rules)
