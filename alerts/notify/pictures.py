"""What a notifier needs to send a picture, and how that can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from alerts.notify import NotifyError

State = Literal["owed", "uploaded", "sent", "failed"]


class LacksScope(NotifyError):
    """The receiver takes no pictures until somebody gives it the scope."""


class FileGone(NotifyError):
    """What was uploaded is not there any more."""


@dataclass(frozen=True, slots=True)
class OwedPicture:
    """A drawn picture of an incident whose message a receiver has, and how far it has come."""

    incident: str
    receiver: str
    name: str
    title: str
    text: str
    png: bytes = field(repr=False)
    address: Mapping[str, str]
    state: State = "owed"
    file: str = ""
    due_at: float = 0.0
    tries: int = 0
    tried_at: float | None = None
    error: str = ""


class PictureSender(Protocol):
    """Puts a picture into a receiver's message; every method raises NotifyError."""

    def upload(self, owed: OwedPicture) -> str:
        """Hands the image over, seen by nobody yet; returns the receiver's name of it."""
        ...

    def share(self, owed: OwedPicture) -> None:
        """Shows what was uploaded to people."""
        ...

    def is_shared(self, owed: OwedPicture) -> bool:
        """Whether it is shown already; False where that can't be told."""
        ...
