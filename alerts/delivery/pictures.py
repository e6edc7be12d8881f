"""Sends an incident's picture after its message: a line of its own, so that no message ever waits for a picture.

Once an incident and receiver. Each stage (owed → uploaded → sent) is recorded before the next begins, so a restart goes
on where it was cut short; a share whose end is not known is looked for before it is made again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from alerts.notify import NotifyError, backoff
from alerts.notify.pictures import FileGone, LacksScope, OwedPicture, PictureSender

log = logging.getLogger("watchkeeper.pictures")

TRIES = 6
"""After so many a picture is given up; the page has it."""
FIRST_WAIT = 5.0
LONGEST_WAIT = 300.0
SCOPE_WAIT = 1800.0
"""Seconds until the receiver is asked again after it lacked a scope."""


class Store(Protocol):
    def owed(self, receiver: str, now: float) -> OwedPicture | None:
        """The oldest picture that is due at wall time `now`."""
        ...

    def keep(self, owed: OwedPicture) -> None: ...


class _Cut(Exception):
    """A stage failed, with the picture as it was last kept."""

    def __init__(self, owed: OwedPicture, error: NotifyError) -> None:
        super().__init__(str(error))
        self.owed, self.error = owed, error


class PictureClock(Protocol):
    def time(self) -> float: ...
    def monotonic(self) -> float: ...


class PictureDelivery:
    """One receiver's line of pictures."""

    def __init__(self, store: Store, illustrator: PictureSender, receiver: str, clock: PictureClock) -> None:
        self._store, self._illustrator, self._receiver, self._clock = store, illustrator, receiver, clock
        self._not_before, self._told = 0.0, False

    def run(self) -> bool:
        """Sends at most one picture; whether one was sent. Never raises NotifyError."""
        now = self._clock.time()
        if self._clock.monotonic() < self._not_before:
            return False
        owed = self._store.owed(self._receiver, now)
        if owed is None:
            return False
        try:
            for stage in (self._upload, self._share):
                owed = stage(owed, now)
        except _Cut as cut:
            self._refused(cut.owed, cut.error, now)
            return False
        self._keep(replace(owed, state="sent", error=""))
        self._told = False
        log.info("%s: the picture of incident %s is there", self._receiver, owed.incident)
        return True

    def _upload(self, owed: OwedPicture, now: float) -> OwedPicture:
        if owed.state == "uploaded":
            return owed
        try:
            file = self._illustrator.upload(owed)
        except NotifyError as error:
            raise _Cut(owed, error) from error
        return self._keep(replace(owed, state="uploaded", file=file))

    def _share(self, owed: OwedPicture, now: float) -> OwedPicture:
        try:
            if owed.tried_at is not None and self._is_shared(owed):
                return owed
            owed = self._keep(replace(owed, tried_at=now))
            self._illustrator.share(owed)
        except NotifyError as error:
            raise _Cut(owed, error) from error
        return owed

    def _is_shared(self, owed: OwedPicture) -> bool:
        try:
            return self._illustrator.is_shared(owed)
        except NotifyError as error:
            error.unsure = True  # of the earlier share: it is looked for again before another is made
            raise

    def _hold(self, error: LacksScope) -> None:
        """It stays owed: what somebody is to give may come."""
        self._not_before = self._clock.monotonic() + SCOPE_WAIT
        if not self._told:
            self._told = True
            log.warning("%s: incidents have no picture: %s", self._receiver, error)

    def _refused(self, owed: OwedPicture, error: NotifyError, now: float) -> None:
        if isinstance(error, LacksScope):
            self._hold(error)
            return
        tries, wait = owed.tries + 1, backoff(owed.tries, FIRST_WAIT, LONGEST_WAIT)
        if isinstance(error, FileGone):
            owed = replace(owed, state="owed", file="")
        if tries >= TRIES or not error.retry:
            log.warning("%s: incident %s gets no picture: %s", self._receiver, owed.incident, error)
            self._keep(replace(owed, state="failed", tries=tries, error=str(error)))
            return
        tried_at = owed.tried_at if error.unsure else None
        due_at = now + (wait if error.after is None else error.after)
        self._keep(replace(owed, tries=tries, due_at=due_at, tried_at=tried_at, error=str(error)))

    def _keep(self, owed: OwedPicture) -> OwedPicture:
        self._store.keep(owed)
        return owed
