"""The rules once more, as plainly as they can be said: what test_machine holds the real ones against.

It shares no code with alerts/: a rule is a dict of the keys in its config, time and windows are counted by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FEW = 10
"""Rows of a measurement that rests on few."""


@dataclass
class Plain:
    """One alert."""

    patience: float
    """A longer time between two evaluations that count is no time at all, and so is one that runs backwards."""
    status: str = "inactive"
    bad: int = 0
    """Evaluations that were bad since it became pending."""
    lived: float = 0.0
    """Seconds since it became pending."""
    well: int = 0
    """Evaluations that were well since it was last bad, while firing."""
    well_for: float = 0.0
    last: float = 0.0
    side: str = ""
    window: list[bool] = field(default_factory=list)
    """Whether each of the last evaluations was bad, the newest last; where n of m count."""

    def see(self, rule: dict[str, Any], seen: float | str, now: float) -> None:
        """One evaluation: a value, "gone" or "error"."""
        if isinstance(seen, str):
            policy = rule.get("no_data" if seen == "gone" else "error", "keep")
            if policy == "keep":
                return
            self._evaluate(rule, policy == "alert", now, forced=policy == "ok")
            return
        side = self._beyond(rule, seen)
        # Of what is to be absent, any value is the end.
        self._evaluate(rule, bool(side), now, forced="absent" in rule)
        if side:
            self.side = side

    def changed(self, rule: dict[str, Any]) -> None:
        """Its rule is another one since."""
        n, m, seconds = hold(rule.get("for", "0s"))
        if self.status != "firing":
            return
        if m:
            self.window = self.window[-m:]
            if sum(self.window) < n and not self.well:
                self.window = [True] * min(self.bad, m)
            lasted = sum(self.window) >= n or self.well > 0
        else:
            lasted = self.bad >= n and self.lived >= seconds
        if not lasted:
            self.status, self.well, self.well_for = "pending", 0, 0.0

    def _evaluate(self, rule: dict[str, Any], bad: bool, now: float, forced: bool = False) -> None:
        n, m, seconds = hold(rule.get("for", "0s"))
        self.window = [*self.window, bad][-m:] if m else []
        passed = now - self.last
        if self.status != "inactive":
            passed = passed if 0 <= passed <= self.patience else 0.0
            self.lived += passed
        enough = sum(self.window) >= n
        if m and not forced:
            goes_on = enough if self.status == "firing" else bad or (self.status == "pending" and any(self.window))
        else:
            goes_on = bad
        if goes_on:
            self._bad(bad, enough if m else None, n, seconds, now)
        elif self.status == "pending":
            self._rest()
        elif self.status == "firing":
            self._well(rule, passed, now)

    def _bad(self, bad: bool, enough: bool | None, n: int, seconds: float, now: float) -> None:
        if self.status == "inactive":
            self.status, self.bad, self.lived = "pending", 0, 0.0
        self.bad += bad
        self.well, self.well_for, self.last = 0, 0.0, now
        long = enough if enough is not None else self.bad >= n and self.lived >= seconds
        if bad and long:
            self.status = "firing"

    def _well(self, rule: dict[str, Any], passed: float, now: float) -> None:
        n, _, seconds = hold(rule.get("keep_firing_for", "0s"))
        self.well_for += passed if self.well else 0.0
        self.well += 1
        self.last = now
        # The evaluation in which it became well is not one of those it is kept for.
        if self.well - 1 >= n and self.well_for >= seconds:
            self._rest()

    def _rest(self) -> None:
        self.status, self.bad, self.lived, self.well, self.well_for, self.side = "inactive", 0, 0.0, 0, 0.0, ""

    def _beyond(self, rule: dict[str, Any], value: float) -> str:
        """The side on which the value is wrong; while it fires on a side, by that side's clear level."""
        if "absent" in rule:
            return ""
        firing = self.status == "firing"
        if "outside" in rule:
            band, clear = rule["outside"], rule.get("clear", rule["outside"])
            if value > (clear["high"] if firing and self.side in ("above", "") else band["high"]):
                return "above"
            return "below" if value < (clear["low"] if firing and self.side in ("below", "") else band["low"]) else ""
        side = "above" if "above" in rule else "below"
        level = rule.get("clear", rule[side]) if firing and self.side in (side, "") else rule[side]
        return side if (value > level if side == "above" else value < level) else ""


class PlainRule:
    """A rule over label sets, of which only the value of the one label is told that tells them apart."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.rule: dict[str, Any] | None = None
        self.alerts: dict[str, Plain] = {}
        """Of each label set that was ever measured; "" stands for the rule itself, where none was."""

    def evaluate(self, seen: dict[str, float | str], failed: bool, now: float) -> None:
        """`seen`: a number, "nan", "twice", or "few" (1, of few rows), for each label set that is measured."""
        if self.rule is None:
            return
        seen = {name: value for name, value in seen.items() if self._covers(name)}
        if seen:
            self.alerts.pop("", None)
        absent = "error" if failed else "gone"
        for name in self.alerts.keys() - seen.keys():
            self._see(name, absent, now)
        for name, value in seen.items():
            few = "gone" if self.rule["min_rows"] > FEW else 1.0
            self._see(name, {"nan": "gone", "twice": "error", "few": few}.get(str(value), value), now)
        if not self.alerts and (failed or self.rule.get("no_data") == "alert"):
            self._see("", absent, now)

    def reload(self, rule: dict[str, Any] | None) -> None:
        self.rule = rule
        self.alerts = {name: alert for name, alert in self.alerts.items() if rule and (not name or self._covers(name))}
        for name, alert in self.alerts.items():
            assert rule is not None
            alert.changed(overridden(rule, name))

    def _covers(self, name: str) -> bool:
        return self.rule is not None and self.rule["match"].get("of", name) == name

    def _see(self, name: str, seen: float | str, now: float) -> None:
        assert self.rule is not None
        self.alerts.setdefault(name, Plain(self.patience)).see(overridden(self.rule, name), seen, now)


def hold(text: str) -> tuple[int, int, float]:
    """(windows, of how many, seconds): of ``3 of 5 windows``, ``2 windows`` or ``30s``."""
    words = text.split()
    if len(words) == 4:
        return int(words[0]), int(words[2]), 0.0
    return (int(words[0]), 0, 0.0) if len(words) == 2 else (0, 0, float(text.removesuffix("s")))


def overridden(rule: dict[str, Any], name: str) -> dict[str, Any]:
    """The rule as it is for a label set."""
    for item in rule.get("overrides", ()):
        if item["match"]["of"] == name:
            own = {key: value for key, value in item.items() if key != "match"}
            kept = dict(rule)
            if {"above", "below", "outside"} & own.keys():
                kept = {key: value for key, value in kept.items() if key not in ("above", "below", "outside", "clear")}
            return {**kept, **own}
    return rule
