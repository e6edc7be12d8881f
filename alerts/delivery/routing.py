"""Who is told of an incident, and when nobody is: routes, mute times and inhibition, as in Alertmanager. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from alerts.delivery.mute_times import MuteTime
from alerts.duration import Seconds
from alerts.incidents.incident import Alert, Incident
from alerts.incidents.matcher import Matcher

Labels = Mapping[str, str]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _all_match(matchers: Sequence[Matcher], labels: Labels) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


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
        self._parsed = Matcher.parse_each(self.matchers)
        return self

    @property
    def conditions(self) -> tuple[Matcher, ...]:
        """The matchers as they are read; one text may hold several."""
        return self._parsed

    def matches(self, labels: Labels) -> bool:
        return _all_match(self._parsed, labels)


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
        self._source, self._target = Matcher.parse_each(self.source), Matcher.parse_each(self.target)
        return self

    @property
    def sources(self) -> tuple[Matcher, ...]:
        """The matchers of `source` as they are read."""
        return self._source

    @property
    def targets(self) -> tuple[Matcher, ...]:
        """The matchers of `target` as they are read."""
        return self._target

    def holds_back(self, labels: Labels, firing: Iterable[Labels]) -> bool:
        """Whether one of the firing alerts holds back the alert with these labels. As in Alertmanager, what matches
        both sides is held back only by what matches the source alone: two that match both would silence each other."""
        if not _all_match(self._target, labels):
            return False
        both = _all_match(self._source, labels)
        return any(
            _all_match(self._source, other)
            and all(labels.get(name, "") == other.get(name, "") for name in self.equal)
            and not (both and _all_match(self._target, other))
            for other in firing
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver that is to be told of an incident, and how the first route that names it wants it told."""

    receiver: str
    mute_times: tuple[str, ...] = ()
    repeat: float | None = None


class Routing:
    """The config's routes; without any, every receiver is told of everything."""

    def __init__(
        self,
        receivers: Sequence[str],
        routes: Sequence[Route] = (),
        mute_times: Iterable[MuteTime] = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        """`elsewhere`: Alertmanager hears of everything, whatever the routes say."""
        self.receivers = list(receivers)
        self._may_forget = bool(routes) and not elsewhere
        self._routes = list(routes) or [Route(receivers=self.receivers)]
        self._mute_times = {item.name: item for item in mute_times}

    def targets(self, incident: Incident) -> list[Target]:
        """Whom the routes name, in the order of the receivers."""
        found: dict[str, Target] = {}
        for route in self._matching(incident):
            for name in route.receivers:
                found.setdefault(name, Target(name, tuple(route.mute_times), route.repeat))
        return [found[name] for name in self.receivers if name in found]

    def forgets(self, incident: Incident) -> bool:
        """Return whether there are routes and none of them matches, so that nobody hears of the incident. A route
        without receivers forgets nothing: somebody decided that nobody should hear."""
        return self._may_forget and next(self._matching(incident), None) is None

    def _matching(self, incident: Incident) -> Iterator[Route]:
        """The routes that decide, in their order."""
        labels = incident_labels(incident)
        for route in self._routes:
            if route.matches(labels):
                yield route
                if not route.continue_:
                    return

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
    labels = alert.silence_labels(model)
    return any(rule.holds_back(labels, firing) for rule in rules)
