"""What the config may say about the checks of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from alerts.duration import Length, Seconds, within
from checks.drift.methods.names import METHOD_NAMES, PRESET_NAMES
from checks.suggest import did_you_mean
from monitor.settings.base import Settings

if TYPE_CHECKING:
    DriftMethod = str
    ExactMethod = str
else:
    DriftMethod = Literal[tuple(METHOD_NAMES)]
    ExactMethod = Literal[tuple(PRESET_NAMES)]

PRESET_METHODS: dict[str, tuple[str, ...]] = {
    "evidently": ("ks", "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger", "chisquare", "z"),
    "nannyml": ("jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein", "chi2", "l_infinity"),
}
"""Preset → its methods, by that library's names."""


class DriftSettings(Settings):
    preset: Literal["evidently", "nannyml"] | None = None
    """Compare a window's rows with the reference's, by that library's own definitions and thresholds, instead of their
    profiles by limits learned from the reference. Slower: the rows are read for every window."""
    methods: list[DriftMethod | ExactMethod] | None = None
    """[psi, jensenshannon], or the preset's own choice, unless given. The first that is for a column judges it."""
    ignore: list[str] = []
    """Features whose drift is not measured, such as those that are meant to move."""
    bins: int = Field(10, ge=2, le=200)
    """Bins of a numeric feature, by quantiles of the reference."""
    importance: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | Path = {}
    """How much each feature matters to the model, in any unit: what drifted is told in the order of that, times how far
    it is beyond its limit. One that is not named matters less than all that are. Or the path of a file that says so:
    JSON or YAML {feature: weight}, or CSV of two columns."""
    lookback: list[Length] = Field([], max_length=4)
    """Longer spans up to a window's end, such as 7d, that drift is measured over as well."""

    @model_validator(mode="after")
    def _known(self) -> DriftSettings:
        known = tuple(METHOD_NAMES) if self.preset is None else PRESET_METHODS[self.preset]
        for name in self.methods or ():
            if name not in known:
                whose = f"preset {self.preset}" if self.preset else "drift without a preset"
                raise ValueError(f"{whose} has no method {name!r}; it has {', '.join(known)}")
        if self.methods == []:
            raise ValueError("methods is empty; name at least one, or write `drift: null` for none")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """`importance`, whose file has been read."""
        assert isinstance(self.importance, dict), "monitor.config reads the file"
        return self.importance

    @property
    def chosen(self) -> tuple[str, ...]:
        """The methods; none where a preset chooses for itself."""
        if self.methods is not None:
            return tuple(dict.fromkeys(self.methods))
        return ("psi", "jensenshannon") if self.preset is None else ()


class EvidentlySettings(Settings):
    """A preset or metrics of Evidently, run over a sample of a window."""

    type: Literal["evidently"]
    """Says that this is a check of Evidently."""
    preset: str | None = None
    """A class of evidently.presets, such as DataDriftPreset."""
    metrics: list[str | dict[str, dict[str, Any]]] = []
    """Classes of evidently.metrics, each by its name or as {name: options}."""
    options: dict[str, Any] = {}
    """What the preset is given."""
    window: Length | None = None
    """Event time that a report covers; a multiple of `windows.every`, which it is unless given."""
    every: Length | None = None
    """Event time between two reports; a multiple of `windows.every`; `window` unless given."""
    sample: int = Field(5_000, ge=100, le=1_000_000)
    """Rows at most, of the window and of the reference each."""
    seed: int = 0
    """Of the sampling; the same rows give the same sample."""
    timeout: Annotated[Seconds, AfterValidator(within(1.0, 86400.0))] = 120.0
    """Time after which a run is stopped."""
    html: bool = True
    """Keep the report as a page, too."""
    keep: int = Field(20, ge=1, le=1000)
    """Reports kept of those that an incident is linked to; of the others the newest one is."""

    @model_validator(mode="after")
    def _something(self) -> EvidentlySettings:
        if (self.preset is None) == (not self.metrics):
            raise ValueError("give either a preset or metrics")
        return self


class CheckSettings(Settings):
    """The checks that are always there, and under names of their own those with a `type`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, EvidentlySettings]

    drift: DriftSettings | None = DriftSettings()
    """Drift of features and predictions; null for none."""
    quality: bool = True
    """Missing values, values out of range, new categories, other types, NaN."""
    performance: bool = True
    """Performance on the labels that have arrived, with intervals."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        for key, item in value.items() if isinstance(value, dict) else ():
            if key not in cls.model_fields and not (isinstance(item, dict) and "type" in item):
                hint = did_you_mean(str(key), cls.model_fields, f"known are {', '.join(cls.model_fields)}")
                raise ValueError(f"unknown check {key!r}{hint} (one of a name of your own needs `type: evidently`)")
        return value

    @property
    def evidently(self) -> dict[str, EvidentlySettings]:
        """Those of `type: evidently`, by name."""
        return self.__pydantic_extra__ or {}
