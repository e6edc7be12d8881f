"""What a model's data mean: inferred from the reference's names and types, corrected by overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import msgspec

Task = Literal["binary", "multiclass", "regression"]
FeatureType = Literal["numeric", "categorical", "boolean", "datetime"]


class SchemaError(Exception):
    """The reference does not fit; the message is one sentence with the columns' names and what to do."""


@dataclass(frozen=True, slots=True)
class SchemaOverrides:
    """What the config says instead of inference; the fields of `schema:` in the config."""

    task: Task | None = None
    target: str | None = None
    prediction: str | None = None
    score: str | None = None
    positive_class: str | int | bool | None = None
    classes: tuple[str | int | float | bool, ...] = ()
    """All classes, in the order of lists of probabilities."""
    probabilities: Mapping[str, str] = field(default_factory=dict)
    """Class → the reference's column with its probability."""
    id: str | None = None
    time: str | None = None
    features: Mapping[str, FeatureType] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The roles and types of a model's columns, and its classes in their one spelling
    (`checks.data.canonical_text.text`)."""

    task: Task | None
    features: tuple[tuple[str, FeatureType], ...]
    target: str | None = None
    prediction: str | None = None
    score: str | None = None
    """The reference's column with the positive class's probability; may be `prediction` itself."""
    positive_class: str = ""
    classes: tuple[str, ...] = ()
    """In the order of lists of probabilities: as scikit-learn's `classes_`, unless the config states another."""
    probabilities: tuple[tuple[str, str], ...] = ()
    """Class → the reference's column with its probability."""
    id: str | None = None
    time: str | None = None
    excluded: tuple[tuple[str, str], ...] = ()
    """Columns that are watched by nothing, and why."""

    @property
    def watched(self) -> tuple[tuple[str, FeatureType], ...]:
        """What is measured of the features: a `datetime` as its parts (`checks.data.datetime_parts`), all others as
        they are."""
        from checks.data.datetime_parts import part_names  # numeric, where the daemon reads a schema's settings

        parts: list[tuple[str, FeatureType]] = []
        for name, kind in self.features:
            parts += [(part, "categorical") for part in part_names(name)] if kind == "datetime" else [(name, kind)]
        return tuple(parts)

    @property
    def classification(self) -> bool:
        return self.task in ("binary", "multiclass")

    def to_json(self) -> str:
        return msgspec.json.encode(asdict(self)).decode()

    @classmethod
    def from_json(cls, data: str | bytes) -> Schema:
        """The schema that `to_json` wrote. Raises SchemaError when it is none."""
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise SchemaError(f"the stored schema can't be read ({error}); build the reference anew") from error
