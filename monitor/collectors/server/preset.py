"""How to read one kind of server's metrics: data, in `config/presets/` or a file of the user's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from monitor.settings.shipped_files import preset_files


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By msgspec, for the daemon reads presets, and has no pydantic."""


class Counter(_Strict, frozen=True, kw_only=True):
    """A counter that is summed over its series."""

    counter: str
    handler: str | None = None
    """The label that names the route, so that excluded routes can be left out."""
    where: dict[str, str] = {}
    """Only series whose label matches this regular expression as a whole."""

    def __post_init__(self) -> None:
        for pattern in self.where.values():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None

    def counts(self, labels: dict[str, str]) -> bool:
        return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in self.where.items())


class Histogram(_Strict, frozen=True, kw_only=True):
    histogram: str
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """What one unit of the histogram lasts: 0.001 where it counts milliseconds."""
    handler: str | None = None
    """The label that names the route; without one the excluded routes' requests are inside."""


class Preset(_Strict, frozen=True, kw_only=True):
    requests: Annotated[list[Counter], msgspec.Meta(min_length=1)]
    errors: list[Counter] = []
    latency: Histogram | None = None

    def names(self) -> tuple[str, ...]:
        """Every metric's name, without the ending `_total`."""
        counters = {counter.counter.removesuffix("_total") for counter in (*self.requests, *self.errors)}
        return tuple(sorted(counters | ({self.latency.histogram} if self.latency else set())))


KEYS = {key for kind in (Preset, Counter, Histogram) for key in kind.__struct_fields__}
"""Every key that stands in a preset."""


def shipped_presets() -> dict[str, Path]:
    """Return the shipped presets' files, by name."""
    return {path.stem: path for path in preset_files()}


def load_preset(preset: str | Path) -> Preset:
    """Read a shipped preset, by its name, or the one in a file; `check-config` has found it right."""
    path = preset if isinstance(preset, Path) else shipped_presets()[preset]
    return msgspec.convert(yaml.safe_load(path.read_text("utf-8-sig")), Preset)
