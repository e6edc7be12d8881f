"""What a rule is: a condition over measurements, how long it must last, and what to tell people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.duration import Hold, Seconds


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Level(BaseModel):
    """The value that a measurement is held against. Exactly one of:

    - ``0.9`` or ``{value: 0.9}``: a number
    - ``limit``: the measurement's own calibrated limit
    - ``{reference: -0.05}``: the reference's value of the same quantity, plus this
    - ``{baseline: 1h, times: 3}``: the median of the measurement's recent values, times this

    ``at_least`` and ``at_most`` bound the level, whatever it is made from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float | None = None
    limit: bool = False
    reference: float | None = None
    baseline: Seconds | None = None
    times: float = 1.0
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a number, limit, {reference: offset} or {baseline: duration, times: factor}")
        if isinstance(value, int | float):
            return {"value": value}
        if value == "limit":
            return {"limit": True}
        if isinstance(value, str):
            raise ValueError(f"{value!r} is no level; write a number, limit, {{reference: …}} or {{baseline: …}}")
        return value

    @model_validator(mode="after")
    def _one(self) -> Level:
        given = [self.value is not None, self.limit, self.reference is not None, self.baseline is not None]
        if sum(given) != 1:
            raise ValueError("give exactly one of value, limit, reference and baseline")
        return self


class Condition(BaseModel):
    """What must hold beside a rule's own level, on the wall clock. One of:

    - ``{metric: request_rate, above: 1}``: the newest value of any model and label set that matches is beyond a number
    - ``{rule: latency-high}``: an alert of that rule, of any model, is pending or firing
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str | None = None
    metric: str | None = None
    match: dict[str, str] = {}
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one(self) -> Condition:
        levels = sum(level is not None for level in (self.above, self.below))
        if (self.rule is None) == (self.metric is None) or levels != (self.metric is not None):
            raise ValueError("give either a rule, or a metric with exactly one of above and below")
        if self.rule is not None and self.match:
            raise ValueError("match goes with a metric, not with a rule")
        return self

    @property
    def told(self) -> str:
        """The condition in words: ``request_rate > 1``."""
        if self.rule is not None:
            return f"{self.rule} is pending or firing"
        pairs = ",".join(f"{name}={value}" for name, value in self.match.items())
        level = f"> {self.above:g}" if self.above is not None else f"< {self.below:g}"
        return f"{self.metric}{{{pairs}}} {level}" if pairs else f"{self.metric} {level}"


Policy = Literal["ok", "keep", "alert"]


class Rule(BaseModel):
    """One rule of the config. `above`/`below` breach; `clear` is the separate level that ends a breach."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
    metric: str
    match: dict[str, str] = {}
    """Label values that a measurement must carry; `*` is any, empty is none."""
    above: Level | None = None
    below: Level | None = None
    clear: Level | None = None
    while_: list[Condition] = Field([], alias="while")
    """All of these must hold as well: a breach without them is none."""
    average: int = Field(1, ge=1, le=366)
    """Windows whose n-weighted mean is judged, instead of the newest alone."""
    min_rows: int = 0
    """A measurement resting on fewer rows (over all averaged windows) counts as no data."""
    for_: Hold = Field(Hold(), alias="for")
    keep_firing_for: Hold = Hold()
    severity: Severity = Severity.WARNING
    group: str = ""
    """Alerts of one model and group reach people as one incident; the rule's own name unless given."""
    no_data: Policy = "keep"
    error: Policy = "keep"
    summary: str = ""
    """What is wrong, for people; {{ value }}, {{ level }}, {{ labels.feature }}, {{ model }} are filled in."""
    action: str = ""
    """What to do about it."""
    runbook: str = ""
    enabled: bool = True

    @model_validator(mode="after")
    def _one_side(self) -> Rule:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"rule {self.name!r}: give exactly one of above and below")
        return self

    @property
    def incident_group(self) -> str:
        return self.group or self.name
