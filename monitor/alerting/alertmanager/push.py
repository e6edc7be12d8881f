"""Tells Alertmanager what fires: all of it, again and again, to every member of a cluster apart.

Nothing is queued. A push is made from the alerts' stored states, so a member that was away is told how things are now,
and a daemon that starts again goes on where it was.
"""

from __future__ import annotations

import json
import logging
import random as randomness
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from alerts.delivery.outbox import DeliveryOutcome
from alerts.notify import backoff
from alerts.notify.alertmanager import RESOLVED_AGAIN, Push, hold_seconds, payload
from alerts.notify.transport import wait_seconds
from alerts.secret_file import Secret
from alerts.wording import clean
from monitor.clock import Clock
from monitor.net.client import Client, Request
from monitor.net.errors import ExchangeError
from monitor.settings.alertmanager import AlertmanagerSettings

log = logging.getLogger("watchkeeper.alertmanager")

BATCH = 256
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
LOOK_BACK = 86400.0
"""A member that was away longer is not told what ended before."""
UNKNOWN_AWAY = 3600.0
"""Seconds that a member may have been away before this process began."""
REFUSED_AGAIN = 3600.0
"""Seconds after which an alert that was refused is tried again."""
SPLITS = 64
"""Requests that one push spends on finding which alerts of a batch are refused."""
MAX_ANSWER = 1 << 16
SHOWN = 300
OF_CONTENT = frozenset({400, 413, 422})
"""Answers that are about what was sent: smaller pieces of it may be taken."""

OnOutcome = Callable[[str, DeliveryOutcome, str | None], None]
"""(receiver, outcome, problem), as the outbox tells it."""


class Alerts(Protocol):
    """What there is to tell."""

    def mark(self) -> int:
        """Changes whenever there may be something new."""
        ...

    def pushes(self, now: float, since: float) -> list[Push]:
        """All that fires, and what ended since (wall time)."""
        ...


class Member:
    """One Alertmanager. `tick` may be called at any pace, from one thread."""

    def __init__(
        self,
        address: str,
        settings: AlertmanagerSettings,
        source: Alerts,
        clock: Clock,
        on_outcome: OnOutcome,
        *,
        evaluate: float = 15.0,
        url: str = "",
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """`evaluate`: seconds between evaluations; `url`: where people find the page."""
        self.receiver = f"alertmanager:{urlsplit(address).netloc}"
        self._target = address.rstrip("/") + "/api/v2/alerts"
        self._settings, self._source, self._clock, self._on_outcome = settings, source, clock, on_outcome
        self._hold, self._url, self._random = hold_seconds(evaluate, settings.resend), url, random
        self._longest = self._hold / 2
        """Seconds of a wait that someone else asks for, or while someone has to act, such as on a refused token. Not
        longer: what fires would be taken for resolved meanwhile, though the cause may be over sooner."""
        self._client = Client(clock.monotonic)
        self._token = Secret(settings.token, settings.token_file)
        self._not_before = self._next = clock.monotonic()
        self._mark = -1
        self._failures = 0
        self._well_at = clock.time() - UNKNOWN_AWAY
        """Wall time of the newest push that went well."""
        self._since, self._until = self._well_at - RESOLVED_AGAIN, clock.time() + RESOLVED_AGAIN
        """What ended since the one is told until the other."""
        self._refused: dict[str, tuple[float, str]] = {}
        """When each was refused, and its name, by fingerprint."""

    @property
    def problem(self) -> str | None:
        """What is not well although the last push went well, in a sentence."""
        if not self._refused:
            return None
        names = [name for _, name in self._refused.values()]
        return f"refuses {len(names)} alert{'s' if names[1:] else ''}, such as {names[0]}; the log says why"

    def tick(self) -> bool:
        """Pushes if something changed or the time has come; returns whether a push went well. Never raises. With
        nothing to tell an empty push is made, so that a wrong address is known before it matters."""
        monotonic = self._clock.monotonic()
        if monotonic < self._not_before:
            return False
        try:
            changed = self._source.mark()
            if changed == self._mark and monotonic < self._next:
                return False
            self._push_all(self._clock.time())
        except ExchangeError as error:
            self._wait(str(error), DeliveryOutcome.RETRIED, None)
            return False
        except _Refusal as error:
            self._wait(str(error), error.outcome, error.after)
            return False
        except Exception:  # the loop's boundary: told, counted, tried again
            log.exception("a push to %s failed", self.receiver)
            self._wait("the push failed inside Watchkeeper; see the log", DeliveryOutcome.RETRIED, None)
            return False
        self._mark, self._failures = changed, 0
        self._next = monotonic + self._settings.resend
        return True

    def hasten(self) -> None:
        """Push at once where that waits: somebody may have acted, or the token may be another one."""
        self._token.read_again()
        self._not_before = self._clock.monotonic()

    def _push_all(self, now: float) -> None:
        pushes = self._chosen(now)
        done = _Done()
        for start in range(0, max(1, len(pushes)), BATCH):
            self._send(pushes[start : start + BATCH], now, done)
        if (done.bad or done.unfound) and not done.taken and (text := self._post([], now)) is not None:
            # Nothing at all is taken here, so it is not about the alerts.
            raise _Refusal(
                f"refuses whatever is sent: {text}; look at alertmanager.members", DeliveryOutcome.PARKED, self._longest
            )
        if self._failures:
            log.info("%s: takes alerts again; told of %d", self.receiver, done.taken)
        self._well_at = now
        self._refused |= {push.alert.fingerprint: (now, push.name) for push in done.bad}
        for _ in range(len(done.bad) + done.unfound):
            self._on_outcome(
                self.receiver, DeliveryOutcome.FAILED, self.problem or "refuses some alerts; the log says why"
            )
        if done.taken:
            self._on_outcome(self.receiver, DeliveryOutcome.SENT, self.problem)

    def _chosen(self, now: float) -> list[Push]:
        """What this member is told now."""
        if self._failures:
            self._since, self._until = self._well_at - RESOLVED_AGAIN, now + RESOLVED_AGAIN
        since = min(now - RESOLVED_AGAIN, self._since if now < self._until else now)
        pushes = self._source.pushes(now, max(since, now - LOOK_BACK))
        known = {push.alert.fingerprint for push in pushes}
        self._refused = {
            key: (at, name)
            for key, (at, name) in self._refused.items()
            if key in known and 0 <= now - at < REFUSED_AGAIN
        }
        return [push for push in pushes if push.alert.fingerprint not in self._refused]

    def _send(self, batch: list[Push], now: float, done: _Done) -> None:
        """Sends the batch. Alertmanager has stored the good ones of a batch that it answers with 400, so halving the
        batch to find the bad ones tells nobody anything twice."""
        text = self._post(batch, now)
        if text is None:
            done.taken += len(batch)
            return
        done.splits -= 2
        if len(batch) > 1 and done.splits >= 0:
            middle = len(batch) // 2
            self._send(batch[:middle], now, done)
            self._send(batch[middle:], now, done)
            return
        log.error("%s: refused %s: %s", self.receiver, ", ".join(push.name for push in batch[:10]), text)
        if len(batch) == 1:
            done.bad += batch
        else:
            done.unfound += 1

    def _post(self, batch: list[Push], now: float) -> str | None:
        """Raises for all but success and a refusal of the batch's content, whose text is returned."""
        settings = self._settings
        body = json.dumps(payload(batch, now, hold=self._hold, labels=settings.labels, url=self._url)).encode()
        headers = {"Content-Type": "application/json"}
        if self._token.text:
            headers["Authorization"] = f"Bearer {self._token.text}"
        request = Request(self._target, "POST", headers, body, settings.ca_file)
        with self._client.ask(request, settings.timeout) as answer:
            if answer.status in (401, 403) and self._token.read_again():
                return self._post(batch, now)
            if answer.status in (401, 403):
                text = f"answered {answer.said}; look at alertmanager.token in the config"
                raise _Refusal(text, DeliveryOutcome.PARKED, self._longest)
            if answer.status in (404, 405) or 300 <= answer.status < 400:
                text = f"answered {answer.said} at {urlsplit(self._target).path}; look at alertmanager.members"
                raise _Refusal(text, DeliveryOutcome.PARKED, self._longest)
            if answer.status in OF_CONTENT:
                said = answer.read(MAX_ANSWER).decode("utf-8", "replace")
                # Whoever answers may repeat the request.
                said = said.replace(self._token.text, "****") if self._token.text else said
                return f"{answer.said}: {clean(said, SHOWN)}"
            if not 200 <= answer.status < 300:
                after = answer.header("Retry-After")
                raise _Refusal(f"answered {answer.said}", DeliveryOutcome.RETRIED, wait_seconds(after))
        return None

    def _wait(self, problem: str, outcome: DeliveryOutcome, after: float | None) -> None:
        wait = backoff(self._failures, FIRST_WAIT, LONGEST_WAIT, self._random())
        wait = wait if after is None else max(FIRST_WAIT, min(after, self._longest))
        if not self._failures:
            log.warning("%s: %s; tried again until it works", self.receiver, problem)
        self._failures += 1
        self._not_before = self._clock.monotonic() + wait
        self._on_outcome(self.receiver, outcome, problem)


@dataclass
class _Done:
    """What became of one push."""

    splits: int = SPLITS
    taken: int = 0
    bad: list[Push] = field(default_factory=list)
    unfound: int = 0
    """Batches that hold bad ones which were not looked for to the end."""


class _Refusal(Exception):
    """The member answered, but did not take the alerts."""

    def __init__(self, text: str, outcome: DeliveryOutcome, after: float | None) -> None:
        super().__init__(text)
        self.outcome, self.after = outcome, after
