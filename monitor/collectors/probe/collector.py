"""A model's probes: requests whose answers are known, each at an interval of its own."""

from __future__ import annotations

import logging
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path

from alerts.redact import shown_url
from checks.base import Measurement, NotEnough, Window, labels
from monitor.clock import Clock, SystemClock
from monitor.collectors.authorized import AuthorizedClient
from monitor.collectors.probe.allowed_hosts import allowed_hosts, refusal
from monitor.collectors.probe.request import request
from monitor.collectors.probe.run import ProbeOutcome, run
from monitor.net.client import Client
from monitor.net.errors import FailureKind
from monitor.settings.model import ModelSettings
from monitor.settings.server import CollectSettings, ProbeSettings

log = logging.getLogger("watchkeeper.collectors.probe")

TICK = 5.0
"""Seconds between two samples at most; an interval is kept to within them."""
GRACE = 0.5
"""Seconds that a sample waits for the answers of what it has just asked; what comes later is in the next one."""

_OF_ANSWER = ("probe_latency_seconds", "probe_status_code")
_CERTIFICATE = "probe_certificate_remaining_seconds"
_FAILURES = "probe_failures_total"


class ProbeCollector:
    """Runs every probe that is due on a thread of its own, so that one that hangs holds up nobody, and shows each
    probe's newest outcome. One that is older than three intervals and the time-out is not shown any more."""

    name = "probe"
    metrics = frozenset({"probe_up", *_OF_ANSWER, _CERTIFICATE, _FAILURES})

    def __init__(
        self, model: ModelSettings, settings: CollectSettings, clock: Clock | None = None, grace: float = GRACE
    ) -> None:
        clock = clock or SystemClock()
        client = Client(clock.monotonic, refusal(allowed_hosts(model, settings.allowed_probe_hosts)))
        self.tick = min([TICK, *(probe.interval for probe in model.probes)])
        """Seconds between two samples."""
        self._grace = grace
        self._probes = [_Probe(probe, model.model, client, clock) for probe in model.probes]

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        # Not to the second: a sample that comes a moment early must not cost the probe a whole tick.
        due = [probe for probe in self._probes if probe.is_due(monotonic + self.tick / 10)]
        wait([probe.start(monotonic) for probe in due], self._grace)
        return [row for probe in self._probes for row in probe.rows(now, monotonic)]


class _Probe:
    """One probe; all but `_run` is called by one thread at a time."""

    def __init__(self, settings: ProbeSettings, model: str, client: Client, clock: Clock) -> None:
        self._settings, self._model, self._clock = settings, model, clock
        self._client = AuthorizedClient(client, settings)
        self._request = request(settings, model)
        self._shown = shown_url(self._request.url)
        self._labels = labels(probe=settings.name)
        self._under_way: Future[ProbeOutcome] | None = None
        self._started: float | None = None
        self._newest: tuple[float, ProbeOutcome] | None = None
        self._failures: Counter[FailureKind] = Counter()
        self._said: tuple[FailureKind, str] | None = None

    def is_due(self, monotonic: float) -> bool:
        self._take()
        if self._under_way is not None:
            return False
        return self._started is None or monotonic >= self._started + self._settings.interval

    def start(self, monotonic: float) -> Future[ProbeOutcome]:
        outcome: Future[ProbeOutcome] = Future()
        name = f"probe-{self._settings.name}"
        threading.Thread(target=self._run, args=[outcome], name=name, daemon=True).start()
        self._started, self._under_way = monotonic, outcome
        return outcome

    def rows(self, now: float, monotonic: float) -> Iterator[Measurement]:
        """The probe's measurements: with a reason instead of a value where there is none."""
        self._take()
        for failure in FailureKind:
            which = labels(probe=self._settings.name, reason=failure.value)
            yield Measurement(_FAILURES, float(self._failures[failure]), Window(now, now), which)
        if self._newest is None:
            yield from self._unknown(("probe_up", *self._of_answer), NotEnough.FIRST_SAMPLE, "", now)
            return
        age, outcome = monotonic - self._newest[0], self._newest[1]
        if age > 3 * self._settings.interval + self._settings.timeout:
            said = f"no outcome for {age:.0f} s"
            yield from self._unknown(("probe_up", *self._of_answer), NotEnough.ERROR, said, now)
            return
        problem = f"{self._shown}: {outcome.message}" if outcome.failure else ""
        detail = {"error": problem, "reason": outcome.failure.value} if outcome.failure else {}
        yield Measurement("probe_up", float(outcome.failure is None), Window(now, now), self._labels, detail=detail)
        remaining = None if outcome.expires is None else outcome.expires - now
        values = {
            "probe_latency_seconds": outcome.seconds,
            "probe_status_code": None if outcome.status is None else float(outcome.status),
            _CERTIFICATE: remaining,
        }
        for name in self._of_answer:
            if (value := values[name]) is not None:
                yield Measurement(name, value, Window(now, now), self._labels)
            else:
                yield from self._unknown((name,), NotEnough.ERROR, problem, now)

    @property
    def _of_answer(self) -> tuple[str, ...]:
        return (*_OF_ANSWER, _CERTIFICATE) if self._request.url.startswith("https:") else _OF_ANSWER

    def _unknown(self, names: tuple[str, ...], reason: NotEnough, said: str, now: float) -> Iterator[Measurement]:
        detail = {"error": said} if said else {}
        for name in names:
            yield Measurement(name, None, Window(now, now), self._labels, reason=reason, detail=detail)

    def _run(self, outcome: Future[ProbeOutcome]) -> None:
        try:
            outcome.set_result(run(self._settings, self._request, self._client, self._clock.monotonic))
        except Exception as error:  # noqa: BLE001 - the thread's boundary: counted and shown as a failure
            # Without the error's own words, which may have a header in them.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
            outcome.set_result(ProbeOutcome(FailureKind.INTERNAL, said))

    def _take(self) -> None:
        """Takes over an outcome that has come."""
        if self._under_way is None or not self._under_way.done():
            return
        assert self._started is not None
        outcome = self._under_way.result()
        self._newest, self._under_way = (self._started, outcome), None
        if outcome.failure:
            self._failures[outcome.failure] += 1
        self._say(outcome)

    def _say(self, outcome: ProbeOutcome) -> None:
        """Logs a problem when it begins, changes or ends; not at every run."""
        before, self._said = self._said, None
        if outcome.failure:
            # Of an answer only its path is compared: the wrong number may be another one each time.
            answer = outcome.failure is FailureKind.ANSWER
            self._said = outcome.failure, outcome.message.partition(": ")[0] if answer else outcome.message
            if self._said != before:
                log.warning("probe %s of model %s: %s: %s", *self._names, self._shown, outcome.message)
        elif before:
            log.info("probe %s of model %s: its request is answered as expected again", *self._names)

    @property
    def _names(self) -> tuple[str, str]:
        return self._settings.name, self._model
