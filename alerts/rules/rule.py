"""What a rule is: a condition over measurements, how long it must last, and what to tell people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from alerts.duration import Hold
from alerts.rules.level import Band, Bound, Level
from alerts.rules.match import matched
from alerts.rules.slo import Slo
from checks.base import Labels


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Condition(BaseModel):
    """What must hold beside a rule's own level, on the wall clock. One of:

    - ``{metric: request_rate, above: 1}``: the newest value of any model and label set that matches is beyond a number
    - ``{rule: latency-high}``: an alert of that rule, of any model, is pending or firing
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str | None = None
    """A rule of which an alert is pending or firing."""
    metric: str | None = None
    """A metric whose newest value counts."""
    match: dict[str, str] = {}
    """Label values that the metric must carry."""
    above: float | None = None
    """The metric is above this number."""
    below: float | None = None
    """The metric is below this number."""

    @model_validator(mode="after")
    def _one(self) -> Condition:
        levels = sum(level is not None for level in (self.above, self.below))
        if (self.rule is None) == (self.metric is None) or levels != (self.metric is not None):
            raise ValueError("give either a rule, or a metric with exactly one of above and below")
        if self.rule is not None and self.match:
            raise ValueError("match goes with a metric, not with a rule")
        return self

    @property
    def description(self) -> str:
        """The condition in words: ``request_rate > 1``."""
        if self.rule is not None:
            return f"{self.rule} is pending or firing"
        pairs = ",".join(f"{name}={value}" for name, value in self.match.items())
        level = f"> {self.above:g}" if self.above is not None else f"< {self.below:g}"
        return f"{self.metric}{{{pairs}}} {level}" if pairs else f"{self.metric} {level}"


Policy = Literal["ok", "keep", "alert"]

SIDES = ("above", "below", "outside")
LEVELS = (*SIDES, "clear")


class Override(BaseModel):
    """What is different for the label sets that `match`: the keys that are given replace the rule's."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    match: dict[str, str] = Field(min_length=1)
    """Label values for which the keys given here replace the rule's."""
    above: Level | None = None
    below: Level | None = None
    outside: Band | None = None
    clear: Level | Band | None = None
    min_rows: int | None = None
    for_: Hold | None = Field(None, alias="for")
    keep_firing_for: Hold | None = None
    severity: Severity | None = None
    no_data: Policy | None = None
    error: Policy | None = None
    summary: str | None = None
    action: str | None = None
    runbook: str | None = None
    annotations: dict[str, str] | None = None


class Rule(BaseModel):
    """One rule of the config. `above`, `below` or `outside` breach; `clear` is the separate level that ends a breach.
    With `share` it is the share of the label sets that breach, and with `slo` how fast an error budget burns."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
    """Its own; or a shipped rule's, which it changes by the keys that are given, and replaces if `metric` is given."""
    metric: str
    """What is judged."""
    match: dict[str, str] = {}
    """Label values that a measurement must carry; `*` is any, empty is none."""
    above: Level | None = None
    """Breaches above this level."""
    below: Level | None = None
    """Breaches below this level."""
    outside: Band | None = None
    """Breaches on either side of this band."""
    clear: Level | Band | None = None
    """The level at which a breach ends, where it is not the one at which it begins."""
    share: float | None = Field(None, ge=0, lt=1)
    """Breaches when more than this share of the label sets does; one alert for all of them."""
    slo: Slo | None = None
    """Breaches when the error budget of this objective burns too fast."""
    absent: bool = False
    """Breaches when there is no data."""
    while_: list[Condition] = Field([], alias="while")
    """All of these must hold as well: a breach without them is none."""
    average: int = Field(1, ge=1, le=366)
    """Windows whose n-weighted mean is judged, instead of the newest alone."""
    min_rows: int = 0
    """A measurement resting on fewer rows (over all averaged windows) counts as no data; with `slo`, a long window
    with fewer burns nothing."""
    for_: Hold = Field(Hold(), alias="for")
    """How long it must breach before the alert fires: a time, a number of windows, or n of m windows."""
    keep_firing_for: Hold = Hold()
    """How long it fires on after the last breach."""
    severity: Severity = Severity.WARNING
    """How bad it is."""
    group: str = ""
    """Alerts of one model and group reach people as one incident; the rule's own name unless given."""
    no_data: Policy = "keep"
    """What no data means: well, as before, or a breach."""
    error: Policy = "keep"
    """What a check that failed means: well, as before, or a breach."""
    summary: str = ""
    """What is wrong, for people; {{ value }}, {{ level }}, {{ labels.feature }}, {{ model }} are filled in."""
    action: str = ""
    """What to do about it; filled in as the summary is."""
    runbook: str = ""
    """An address with what to do."""
    annotations: dict[str, str] = Field({}, max_length=20)
    """More for people and receivers, by name; filled in as the summary is."""
    overrides: list[Override] = []
    """What is different for some label sets; the first that matches is meant."""
    enabled: bool = True
    """Whether it is in force."""
    _merged: tuple[Rule, ...] = PrivateAttr(())
    """The rule as each override makes it."""

    @model_validator(mode="after")
    def _sound(self) -> Rule:
        for wrong in _wrong(self):
            raise ValueError(f"rule {self.name!r}: {wrong}")
        self._merged = tuple(_merge(self, override) for override in self.overrides)
        return self

    @property
    def incident_group(self) -> str:
        return self.group or self.name

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The sides on which a value can be wrong; none for `absent`, and for an `slo` over a ratio."""
        clear = self.clear if isinstance(self.clear, Level) else None
        if self.above is not None:
            return (Bound("above", self.above, clear),)
        if self.below is not None:
            return (Bound("below", self.below, clear),)
        if self.outside is None:
            return ()
        band = self.clear if isinstance(self.clear, Band) else None
        return (
            Bound("above", self.outside.high, None if band is None else band.high),
            Bound("below", self.outside.low, None if band is None else band.low),
        )

    @property
    def levels(self) -> tuple[Level, ...]:
        """Every level that it names."""
        return tuple(level for bound in self.bounds for level in (bound.level, bound.clear) if level is not None)

    @property
    def compares(self) -> bool:
        """Whether a level, of any label set, is the reference's."""
        rules = (self, *(rule for _, rule in self.overridden))
        return any(level.limit or level.reference is not None for rule in rules for level in rule.levels)

    @property
    def unit(self) -> str:
        """The name of a metric that its values have the unit of, where that is not its own: shares are ratios."""
        return f"{self.metric}_ratio" if self.share is not None or (self.slo is not None and self.bounds) else ""

    @property
    def on_no_data(self) -> Policy:
        return "alert" if self.absent else self.no_data

    def of(self, labels: Labels) -> Rule:
        """The rule as it is for this label set."""
        if self.overrides:
            own = dict(labels)
            for override, rule in zip(self.overrides, self._merged, strict=True):
                if matched(override.match, own):
                    return rule
        return self

    @property
    def overridden(self) -> tuple[tuple[dict[str, str], Rule], ...]:
        """Each override's match, with the rule as it is for it."""
        return tuple((item.match, rule) for item, rule in zip(self.overrides, self._merged, strict=True))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Rule:
        """Return a copy with other values, which its overrides are merged with anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied._merged = tuple(_merge(copied, override) for override in copied.overrides)
        return copied


def _merge(rule: Rule, override: Override) -> Rule:
    plain = rule.model_dump(by_alias=True, exclude_unset=True, exclude={"overrides"})
    own = override.model_dump(by_alias=True, exclude_unset=True, exclude={"match"})
    if set(SIDES) & own.keys():
        # The old clear level belongs to the old level.
        plain = {key: value for key, value in plain.items() if key not in LEVELS}
    return Rule.model_validate({**plain, **own})


def _wrong(rule: Rule) -> Iterator[str]:
    sides = [side for side in SIDES if getattr(rule, side) is not None]
    if rule.absent:
        yield from _wrong_absent(rule, sides)
    elif len(sides) > 1 or (not sides and rule.slo is None):
        yield "give exactly one of above, below and outside (or absent: true, or slo)"
    if rule.clear is not None and isinstance(rule.clear, Band) is not (rule.outside is not None):
        yield "clear is a level with above and below, and {low: …, high: …} with outside"
    if rule.keep_firing_for.of:
        yield "keep_firing_for takes a time or a number of windows; n of m windows goes with for"
    for name, spans in (
        ("baseline", {level.baseline for level in rule.levels if level.baseline}),
        ("season", {level.season for level in rule.levels if level.season}),
    ):
        if len(spans) > 1:
            yield f"its levels name more than one {name}, and one is remembered"
    if rule.share is not None:
        yield from _wrong_share(rule)
    if rule.slo is not None:
        yield from _wrong_slo(rule)


def _wrong_absent(rule: Rule, sides: list[str]) -> Iterator[str]:
    others = [*sides, *(name for name in ("clear", "share", "slo") if getattr(rule, name) is not None)]
    others += ["average"] * (rule.average > 1) + ["min_rows"] * bool(rule.min_rows)
    if others:
        yield f"absent: true looks at no value, so {others[0]} can't go with it"
    if rule.no_data != "alert" and "no_data" in rule.model_fields_set:
        yield "absent: true alerts on no data; leave no_data out"


def _wrong_share(rule: Rule) -> Iterator[str]:
    if rule.slo is not None:
        yield "share and slo can't go together"
    if any(level.learned for level in rule.levels):
        yield "share needs a level that is a number, limit or reference"
    for name, given in (
        ("clear", rule.clear is not None),
        ("average", rule.average > 1),
        ("overrides", rule.overrides),
    ):
        if given:
            yield f"{name} can't go with share, which looks at all label sets together"


def _wrong_slo(rule: Rule) -> Iterator[str]:
    if any(level.value is None for level in rule.levels):
        yield "with slo, above, below and outside take numbers: a sample beyond is a bad one"
    for name, given in (("clear", rule.clear is not None), ("average", rule.average > 1)):
        if given:
            yield f"{name} can't go with slo, which has windows of its own"
