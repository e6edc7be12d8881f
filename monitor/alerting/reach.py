"""Count what matchers hit: rules in force, alerts that are there, and values of a label. Pure.

A matcher that hits nothing is a misspelling more often than a plan: who writes one is told how much it hits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from alerts.incidents.matcher import Matcher
from checks.suggest import nearest

Labels = Mapping[str, str]
Possible = Mapping[str, Collection[str] | None]
"""The labels that alerts of one rule may have, each with its values; None where these come with the data."""
_ELSEWHERE = {"alertname": "rule", "alert": "rule", "job": "model"}
"""What other tools call our labels."""


@dataclass(frozen=True)
class Reach:
    """The targets that matchers may hit: alerts of the rules in force, and the alerts that are pending or firing."""

    rules: Mapping[str, Possible]
    """By the rule's name."""
    alerts: Sequence[Labels] | None
    """None where they are not known."""

    def reached(self, matchers: Sequence[Matcher]) -> list[str]:
        """Return the rules whose alerts may match all of these."""
        return [name for name, possible in self.rules.items() if _may_match(matchers, possible)]

    def hits(self, matchers: Sequence[Matcher]) -> int | None:
        """Return how many of the alerts that are there match all of these; None where they are not known."""
        if self.alerts is None:
            return None
        return sum(all(matcher.matches(labels) for matcher in matchers) for labels in self.alerts)

    def problem(self, matchers: Sequence[Matcher]) -> str:
        """Return in a sentence why no alert can match all of these; empty where one can."""
        if self.reached(matchers) or self.hits(matchers):
            return ""
        for matcher in matchers:
            if not self.reached([matcher]):
                return self._why(matcher)
        return f"no rule has alerts that match {' and '.join(map(str, matchers))} at once"

    def described(self, matchers: Sequence[Matcher]) -> list[str]:
        """Return for each matcher, and for all together where they are several, what it hits."""
        lines = [f"{matcher}: {self._counts([matcher])}{self._values(matcher)}" for matcher in matchers]
        return [*lines, f"all together: {self._counts(matchers)}"] if len(matchers) > 1 else lines

    def _counts(self, matchers: Sequence[Matcher]) -> str:
        text = f"{len(self.reached(matchers))} of {len(self.rules)} rules"
        if self.alerts is None:
            return text
        return f"{text}, {self.hits(matchers)} of {_count(len(self.alerts), 'present alert')}"

    def _values(self, matcher: Matcher) -> str:
        known = self._known(matcher.name)
        if not known:
            return ""
        hit = sum(matcher.matches({matcher.name: value}) for value in known)
        return f", {hit} of {_count(len(known), 'known value')} of {matcher.name}"

    def _known(self, name: str) -> set[str]:
        """The values of a label, as far as they are known."""
        configured = {value for possible in self.rules.values() for value in possible.get(name) or ()}
        seen = {labels[name] for labels in self.alerts or () if name in labels}
        return (configured | seen) - {""}

    def _why(self, matcher: Matcher) -> str:
        names = {name for possible in self.rules.values() for name in possible}
        if matcher.name not in names:
            meant = _ELSEWHERE.get(matcher.name) or nearest(matcher.name, sorted(names))
            hint = f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(sorted(names))}"
            return f"no alert has a label {matcher.name!r}{hint}"
        known = sorted(self._known(matcher.name))
        meant = nearest(matcher.value, known)
        shown = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
        return f"{matcher} matches no {matcher.name}; " + (
            f"did you mean {meant!r}?" if meant else f"there are {shown}"
        )


def _may_match(matchers: Sequence[Matcher], possible: Possible) -> bool:
    """Whether some alert with these labels matches all; each label is looked at for itself."""
    by_name: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_name.setdefault(matcher.name, []).append(matcher)
    for name, own in by_name.items():
        values = possible.get(name, [""])
        if values is not None and not any(all(one.matches({name: value}) for one in own) for value in values):
            return False
    return True


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
