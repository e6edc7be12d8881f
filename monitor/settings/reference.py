"""What the config file may say about a model's reference."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.duration import Length
from checks.data.csv_options import CsvOptions


class CsvSettings(BaseModel):
    """A statement of how a CSV file is written; what is left out is found out from the file, and `check-config` says
    what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    separator: str | None = Field(None, min_length=1, max_length=1)
    """What stands between cells, such as `;`."""
    encoding: str | None = None
    """How letters are stored, such as `utf-8`, `cp1252` or `utf-16`."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark."""
    thousands: str | None = Field(None, max_length=1)
    """What stands between groups of three digits; empty: nothing does."""
    nulls: list[str] | None = None
    """Cells that are missing, in every column; unless given an empty cell and what pandas takes for missing, too."""
    dates: Literal["day-first", "month-first"] | None = None
    """The order of day and month in dates such as 03/12/2026."""

    def options(self) -> CsvOptions:
        """Return the same for the reader."""
        nulls = None if self.nulls is None else tuple(self.nulls)
        return CsvOptions(self.separator, self.encoding, self.decimal, self.thousands, nulls, self.dates)

    @model_validator(mode="after")
    def _known(self) -> CsvSettings:
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            text = f"there is no encoding {self.encoding!r}; write one such as utf-8, cp1252 or utf-16"
            raise ValueError(text) from None
        return self


class ReferenceSettings(BaseModel):
    """What is normal: a file (a path alone is short for it), the stream's beginning, or the windows before each one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = None
    """Parquet, CSV, JSON lines or Arrow: a training or validation sample with the model's predictions."""
    csv: CsvSettings = CsvSettings()
    """How the file is written, if it is CSV and reading it by itself guesses wrong."""
    version: str | None = Field(None, min_length=1, max_length=200)
    """The version of the model that the file is of; other versions learn their own, by `first`."""
    first: Length | None = None
    """Learned: so much event time from the first window on becomes the reference."""
    window: Literal["previous"] | None = None
    """Rolling: each window is compared with those before it."""
    of: Length | None = None
    """How much event time before a window it is compared with; `windows.every`, the window before, unless given."""
    per_version: bool = False
    """Each version of the model has a reference of its own."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        value = {"path": value} if isinstance(value, str | Path) else value
        path = value.get("path") if isinstance(value, dict) else None
        if isinstance(path, str) and (remote := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", path)):
            raise ValueError(
                f"{remote[1]}:// can't be read yet; copy it here and name the file, Parquet, CSV or Arrow"
                if remote[1] != "file"
                else "write the path alone, without file://"
            )
        return value

    @model_validator(mode="after")
    def _one_source(self) -> ReferenceSettings:
        sources = [self.path is not None, self.window is not None, self.first is not None and self.version is None]
        if sum(sources) != 1:
            raise ValueError("give one of path, first and window (first beside path only with a version)")
        if self.version is not None and self.path is None:
            raise ValueError("version says of which model version the file is; give its path")
        if self.csv != CsvSettings() and self.path is None:
            raise ValueError("csv says how a file is written; give its path")
        if self.of is not None and self.window is None:
            raise ValueError("of goes with window: previous")
        if self.path is not None and self.per_version and self.version is None:
            raise ValueError("say of which version of the model the file is: version")
        return self
