"""What a notifier is. Each is a pure payload and a thin `send`; retries are the outbox's, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from alerts.incidents.incident import Notice, Why

Address = Mapping[str, str]
"""What a receiver needs to find its message again (Slack: channel, ts); JSON-serialisable."""


class NotifyError(Exception):
    """A notification did not reach its receiver; the text is one sentence without secrets.

    `retry`: the same may succeed soon. Otherwise someone has to act (a revoked token), or, with `of_message`, this one
    message is refused for good. `after`: seconds the receiver asked us to wait. `unsure`: it may have arrived anyway.
    """

    def __init__(
        self, text: str, *, retry: bool, after: float | None = None, of_message: bool = False, unsure: bool = False
    ) -> None:
        super().__init__(text)
        self.unsure = unsure
        self.retry = retry
        self.after = after
        self.of_message = of_message


class Notifier(Protocol):
    """A receiver's transport. `pace` is the least number of seconds between two sends; kinds of notice outside
    `wants` are not sent."""

    @property
    def name(self) -> str: ...
    @property
    def pace(self) -> float: ...
    @property
    def wants(self) -> frozenset[Why]: ...

    def send(self, notice: Notice, address: Address | None) -> Address:
        """Tells the receiver, in place where there is an `address`; returns where the message is now. Raises
        NotifyError."""
        ...


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """Where an incident's message is, and whether it says the news already."""

    address: Address
    done: bool


@runtime_checkable
class Reconciling(Protocol):
    """A notifier that can look whether a send, whose end is not known, arrived: so that it is not told twice."""

    def find(self, notice: Notice, address: Address | None, since: float) -> FoundMessage | None:
        """What arrived of the notice after `since` (wall time); None if nothing did, or it can't be told. Raises
        NotifyError."""
        ...


@runtime_checkable
class Rereading(Protocol):
    """A notifier whose secrets may stand in files, where they may be replaced."""

    def read_again(self) -> bool:
        """Read the secrets from their files again; return whether one of them is another than before."""
        ...


def backoff(failures: int, first: float, longest: float, spread: float = 1.0) -> float:
    """Return how long to wait after so many failures in a row: it doubles from `first` to `longest`. A random `spread`
    from 0 to 1 draws it from the upper half of that ('equal jitter').

    >>> backoff(0, 1.0, 30.0), backoff(3, 1.0, 30.0), backoff(99, 1.0, 30.0), backoff(3, 1.0, 30.0, spread=0.5)
    (1.0, 8.0, 30.0, 6.0)
    """
    wait: float = min(longest, first * 2.0 ** min(failures, 16))
    return wait * (0.5 + spread / 2)
