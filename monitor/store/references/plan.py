"""Where a model's reference comes from, as its config says it and the store remembers it. Light, for the daemon."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from alerts.duration import span

if TYPE_CHECKING:
    from monitor.settings.model import ModelSettings

LEARN = 7 * 86400.0
"""Event time that a version without a reference learns its own from, unless `first` says otherwise."""

Kind = Literal["none", "file", "first", "previous"]


@dataclass(frozen=True, slots=True)
class ReferencePlan:
    """`none`: whatever the store holds goes on; `file`; `first`: learned from the stream; `previous`: rolling."""

    kind: Kind = "none"
    path: str | None = None
    version: str = ""
    """Of the model that the file is of; empty where it holds for all."""
    per_version: bool = False
    """Each version has a reference of its own; one without it learns."""
    first: float = LEARN
    """Seconds of event time that are learned from."""
    of: float = 0.0
    """Rolling: seconds before a window that it is compared with."""

    @property
    def learns(self) -> bool:
        """Whether a reference that is missing is learned."""
        return self.kind in ("first", "previous") or self.per_version

    def text(self) -> str:
        """As it is stored; where the file lies is no part of it."""
        return msgspec.json.encode(asdict(self) | {"path": None}).decode()

    @classmethod
    def read(cls, text: str) -> ReferencePlan:
        """What `text` wrote."""
        return msgspec.json.decode(text, type=cls)

    @classmethod
    def of_model(cls, settings: ModelSettings) -> ReferencePlan:
        said = settings.reference
        if said is None:
            return cls()
        per_version = said.per_version or said.version is not None
        every = settings.windows.every
        if said.path is not None:
            return cls("file", str(said.path), said.version or "", per_version, said.first or LEARN)
        if said.first is not None:
            return cls("first", per_version=per_version, first=said.first)
        # What the bins are made from is as long as what is compared with.
        return cls("previous", per_version=per_version, first=said.of or every, of=said.of or every)

    def described(self) -> str:
        """For people."""
        each = " of each model version" if self.per_version else ""
        if self.kind == "file":
            bound = f" for version {self.version}; others learn their first {span(self.first)}" if self.version else ""
            return f"{self.path or 'a file'}{bound}"
        if self.kind == "first":
            return f"learned from the first {span(self.first)}{each}"
        if self.kind == "previous":
            return f"rolling: the {span(self.of)} before each window{each}"
        return "none: no drift, no comparison of performance"
