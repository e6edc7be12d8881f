"""How to read one kind of server's metrics: data, in `config/presets/`."""

from __future__ import annotations

import re
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor.settings.shipped_files import shared_file


def _pattern(text: str) -> str:
    re.compile(text)
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counter(_Strict):
    """A counter that is summed over its series."""

    counter: str
    handler: str | None = None
    """The label that names the route, so that excluded routes can be left out."""
    where: dict[str, Annotated[str, AfterValidator(_pattern)]] = {}
    """Only series whose label matches this regular expression as a whole."""

    def counts(self, labels: dict[str, str]) -> bool:
        return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in self.where.items())


class Histogram(_Strict):
    histogram: str
    seconds: float = Field(1.0, gt=0)
    """What one unit of the histogram lasts: 0.001 where it counts milliseconds."""
    handler: str | None = None
    """The label that names the route; without one the excluded routes' requests are inside."""


class Preset(_Strict):
    requests: list[Counter] = Field(min_length=1)
    errors: list[Counter] = []
    latency: Histogram | None = None

    def names(self) -> tuple[str, ...]:
        """Every metric's name, without the ending `_total`."""
        counters = {counter.counter.removesuffix("_total") for counter in (*self.requests, *self.errors)}
        return tuple(sorted(counters | ({self.latency.histogram} if self.latency else set())))


def load_preset(name: str) -> Preset:
    """The shipped preset of that name. Raises FileNotFoundError when it is not shipped."""
    return Preset.model_validate(yaml.safe_load(shared_file(f"presets/{name}.yaml").read_text("utf-8")))
