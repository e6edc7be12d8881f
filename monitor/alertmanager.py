"""Tells Alertmanager what fires: all of it, again and again, to every member of a cluster apart.

Nothing is queued. A push is made from the alerts' stored states, so a member that was away is told how things are now,
and a daemon that starts again goes on where it was.
"""

from __future__ import annotations

import json
import logging
import random as randomness
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import Engine

from alerts.incident import Alert, alert_of, worded
from alerts.notify.alertmanager import RESOLVED_AGAIN, Push, hold_seconds, payload, told
from alerts.outbox import Outcome
from alerts.rule import Rule
from alerts.silence import Silence
from alerts.state import AlertState
from alerts.wording import Wording
from monitor.clock import Clock
from monitor.collectors.exchange import Client, Request
from monitor.collectors.failure import ExchangeError
from monitor.settings import AlertmanagerSettings
from monitor.store.standing import Standing, mark, standing

log = logging.getLogger("watchkeeper.alertmanager")

BATCH = 256
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
PARKED_WAIT = 300.0
"""Seconds between tries while someone has to act, such as on a refused token."""
LOOK_BACK = 86400.0
"""A member that was away longer is not told what ended before."""
UNKNOWN_AWAY = 3600.0
"""Seconds that a member may have been away before this process began."""
REFUSED_AGAIN = 3600.0
"""Seconds after which an alert that was refused is tried again."""
SPLITS = 64
"""Requests that one push spends on finding which alerts of a batch are refused."""
MAX_ANSWER = 1 << 16

OnOutcome = Callable[[str, Outcome, str | None], None]
"""(receiver, outcome, problem), as the outbox tells it."""


class Source:
    """What there is to tell, from the store and the rules."""

    def __init__(self, engine: Engine, rules: Sequence[Rule], silences: Callable[[float], Sequence[Silence]]) -> None:
        self._engine, self._silences = engine, silences
        self._rules = {rule.name: rule for rule in rules}
        self._wording = Wording()
        self._last: dict[str, Alert] = {}
        """How each alert was last told, for the words of its end."""

    def mark(self) -> int:
        """Changes whenever there may be something new."""
        with self._engine.connect() as connection:
            return mark(connection)

    def pushes(self, now: float, since: float) -> list[Push]:
        """All that fires, and what ended since (wall time), as far as silences let it through."""
        with self._engine.connect() as connection:
            found = standing(connection, since)
        pushes = [push for item in found if (push := self._push(item)) is not None]
        self._last = {push.alert.fingerprint: push.alert for push in pushes}
        return told(pushes, self._silences(now), now)

    def _push(self, item: Standing) -> Push | None:
        rule, last = self._rules.get(item.rule), self._last.get(item.fingerprint)
        if item.state is not None:
            if rule is None:
                return None
            alert = worded(alert_of(rule, item.model, item.state), rule.summary, item.model, self._wording)
            return Push(alert, item.model, item.started_at)
        if last is None:
            # Told by an earlier process, so the words are gone. Without its rule the labels are, too: there it ends
            # by itself, when its time is up.
            if rule is None:
                return None
            last = alert_of(rule, item.model, AlertState(item.labels))
            last = replace(last, since=item.started_at, summary=f"{rule.name} has ended")
        return Push(replace(last, firing=False), item.model, item.started_at, item.ended_at)


class Member:
    """One Alertmanager. `tick` may be called at any pace, from one thread."""

    def __init__(
        self,
        address: str,
        settings: AlertmanagerSettings,
        source: Source,
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
        self._client = Client(clock.monotonic)
        self._not_before = self._next = clock.monotonic()
        self._mark = -1
        self._failures = 0
        self._well_at = clock.time() - UNKNOWN_AWAY
        """Wall time of the newest push that went well."""
        self._since, self._until = self._well_at - RESOLVED_AGAIN, clock.time() + RESOLVED_AGAIN
        """What ended since the one is told until the other."""
        self._refused: dict[str, float] = {}

    def tick(self) -> bool:
        """Pushes if something changed or the time has come; returns whether a push went well, if only because there
        was nothing to tell. Never raises."""
        monotonic = self._clock.monotonic()
        if monotonic < self._not_before:
            return False
        try:
            changed = self._source.mark()
            if changed == self._mark and monotonic < self._next:
                return False
            self._push_all(self._clock.time())
        except ExchangeError as error:
            self._wait(str(error), Outcome.RETRIED, None)
            return False
        except _Refusal as error:
            self._wait(str(error), error.outcome, error.after)
            return False
        except Exception:  # the loop's boundary: told, counted, tried again
            log.exception("a push to %s failed", self.receiver)
            self._wait("the push failed inside Watchkeeper; see the log", Outcome.RETRIED, None)
            return False
        self._mark, self._failures = changed, 0
        self._next = monotonic + self._settings.resend
        return True

    def _push_all(self, now: float) -> None:
        since = now - RESOLVED_AGAIN
        if now < self._until:
            since = min(since, self._since)
        pushes = self._source.pushes(now, max(since, now - LOOK_BACK))
        self._refused = {key: at for key, at in self._refused.items() if 0 <= now - at < REFUSED_AGAIN}
        pushes = [push for push in pushes if push.alert.fingerprint not in self._refused]
        splits = [SPLITS]
        bad: list[Push] = []
        for start in range(0, len(pushes), BATCH):
            bad += self._send(pushes[start : start + BATCH], now, splits)
        if not pushes:
            return
        if self._failures:
            self._since, self._until = self._well_at - RESOLVED_AGAIN, now + RESOLVED_AGAIN
            log.info("%s: takes alerts again; told of %d", self.receiver, len(pushes))
        self._well_at = now
        for push in bad:
            self._refused[push.alert.fingerprint] = now
            self._on_outcome(self.receiver, Outcome.FAILED, f"alert {push.name} is refused")
        if pushes and not bad:
            self._on_outcome(self.receiver, Outcome.SENT, None)

    def _send(self, batch: list[Push], now: float, splits: list[int]) -> list[Push]:
        """Sends the batch; returns the alerts that are refused. Alertmanager has stored the good ones of a batch that
        it answers with 400, so halving the batch to find the bad ones tells nobody anything twice."""
        text = self._post(batch, now)
        if text is None:
            return []
        splits[0] -= 2
        if len(batch) == 1 or splits[0] < 0:
            log.error("%s: refused %s: %s", self.receiver, ", ".join(push.name for push in batch[:10]), text[:300])
            return batch if len(batch) == 1 else []
        middle = len(batch) // 2
        return self._send(batch[:middle], now, splits) + self._send(batch[middle:], now, splits)

    def _post(self, batch: list[Push], now: float) -> str | None:
        """Raises for all but success and a refusal of the batch's content, whose text is returned."""
        settings = self._settings
        body = json.dumps(payload(batch, now, hold=self._hold, labels=settings.labels, url=self._url)).encode()
        headers = {"Content-Type": "application/json"}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        request = Request(self._target, "POST", headers, body, settings.ca_file)
        with self._client.ask(request, settings.timeout) as answer:
            if answer.status in (401, 403):
                text = f"answered {answer.said}; look at alertmanager.token in the config"
                raise _Refusal(text, Outcome.PARKED, PARKED_WAIT)
            if answer.status in (404, 405) or 300 <= answer.status < 400:
                text = f"answered {answer.said} at {urlsplit(self._target).path}; look at alertmanager.members"
                raise _Refusal(text, Outcome.PARKED, PARKED_WAIT)
            if answer.status == 400:
                return answer.read(MAX_ANSWER).decode("utf-8", "replace")
            if not 200 <= answer.status < 300:
                after = answer.header("Retry-After")
                raise _Refusal(f"answered {answer.said}", Outcome.RETRIED, float(after) if after.isdigit() else None)
        return None

    def _wait(self, problem: str, outcome: Outcome, after: float | None) -> None:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures, 16)) * (0.5 + self._random() / 2)
        wait = wait if after is None else min(after, PARKED_WAIT)
        if not self._failures:
            log.warning("%s: %s; tried again until it works", self.receiver, problem)
        self._failures += 1
        self._not_before = self._clock.monotonic() + wait
        self._on_outcome(self.receiver, outcome, problem)


class _Refusal(Exception):
    """The member answered, but did not take the alerts."""

    def __init__(self, text: str, outcome: Outcome, after: float | None) -> None:
        super().__init__(text)
        self.outcome, self.after = outcome, after
