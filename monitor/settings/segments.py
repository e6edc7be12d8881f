"""What the config may say of segments: by which tags and features checks look at parts of the predictions."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from checks.segments.parts import DEFAULT, SegmentCheck


class SegmentSettings(BaseModel):
    """One dimension: a bare name, which is looked for among features and then tags, or a feature or tag with more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("", max_length=80)
    """A feature of this name, else a tag."""
    feature: str = Field("", max_length=80)
    """A feature."""
    tag: str = Field("", max_length=80)
    """A tag that predictions carry."""
    top: int = Field(10, ge=1, le=100)
    """The most frequent values, of which each is a segment; all others are one together."""
    min_rows: int = Field(50, ge=1)
    """Rows of a segment's window below which it has no drift and no performance."""
    checks: list[SegmentCheck] = Field(list(DEFAULT), min_length=1)
    """What is measured of each segment."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> SegmentSettings:
        if sum(bool(item) for item in (self.name, self.feature, self.tag)) != 1:
            raise ValueError("give a name, or exactly one of feature and tag")
        return self

    @property
    def subject(self) -> str:
        return self.name or self.feature or self.tag


def distinct(segments: list[SegmentSettings]) -> list[SegmentSettings]:
    """Those, if no two would have the same label. Raises ValueError."""
    names = [segment.subject for segment in segments]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{min(twice)!r} stands twice; a feature and a tag of one name can't be told apart by label")
    return segments
