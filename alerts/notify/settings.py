"""What the settings of every notifier offer, so that the config needs to know none of them by name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from alerts.notify import Notifier
from alerts.notify.transport import Transport


@dataclass(frozen=True, slots=True)
class NotifierContext:
    """The surroundings that a notifier is made with, beside its settings."""

    transport: Transport
    time: Callable[[], float]
    """The wall clock."""
    timeout: float
    """Seconds for one delivery."""
    page: str
    """Where people reach Watchkeeper's page."""


class NotifierSettings(BaseModel):
    """The settings of one way to reach people. One that has another of its name and `_file` beside it is read from that
    file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield each setting that can't be right, and a sentence that begins with its name. No file is read yet."""
        yield from ()

    def missing(self) -> str | None:
        """Return what a notifier can't be made without, in a sentence, once all files are read."""
        return None

    @abstractmethod
    def make(self, name: str, context: NotifierContext) -> Notifier:
        """Return the notifier. Only here is a library imported that it alone needs."""
