"""How far other machines' clocks are from this one's, by the Date that their answers have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from monitor.clock import Clock
from monitor.net.client import Answer, Client, Request


class Offsets:
    """Whose clock is how many seconds ahead of ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: dict[str, float] = {}

    def now(self) -> float:
        return self._clock.time()

    def note(self, whose: str, date: str, asked: float) -> None:
        """Takes the header Date of an answer to what was asked at `asked`; one that is no date says nothing."""
        try:
            theirs = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            return
        self._found[whose] = offset(theirs, asked, self._clock.time())

    def all(self) -> dict[str, float]:
        """Seconds by whose they are; negative for a clock that is behind ours."""
        return dict(self._found)


def offset(theirs: float, asked: float, answered: float) -> float:
    """How far a clock is off at least. Date has whole seconds, and was written at some time before the answer came.

    >>> offset(100.0, 100.2, 100.4), offset(107.0, 100.0, 101.0), offset(90.0, 100.0, 101.0)
    (0.0, 6.0, -9.0)
    """
    return max(0.0, theirs - answered) or min(0.0, theirs + 1.0 - asked)


class TimedClient(Client):
    """A client that notes what time it is where the answers come from."""

    def __init__(self, clock: Clock, offsets: Offsets) -> None:
        super().__init__(clock.monotonic)
        self._offsets = offsets

    @contextmanager
    def ask(self, request: Request, timeout: float) -> Iterator[Answer]:
        asked = self._offsets.now()
        with super().ask(request, timeout) as answer:
            self._offsets.note(urlsplit(request.url).netloc, answer.header("Date"), asked)
            yield answer
