"""A probe, run once as the daemon does."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.redact import shown_url
from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.clock import Clock
from monitor.collectors.authorized import AuthorizedClient
from monitor.collectors.probe.allowed_hosts import allowed_hosts, refusal
from monitor.collectors.probe.request import request
from monitor.collectors.probe.run import run
from monitor.net.client import Client
from monitor.net.errors import FailureKind
from monitor.settings.model import ModelSettings
from monitor.settings.server import CollectSettings, ProbeSettings

SECONDS = 7.0
_DAY = 86400.0
_SOON = 14.0
"""Days before a certificate's end at which it is told, as the shipped rule does."""


def probe(settings: ProbeSettings, model: ModelSettings, collect: CollectSettings, clock: Clock) -> Iterator[Finding]:
    client = Client(clock.monotonic, refusal(allowed_hosts(model, collect.allowed_probe_hosts)))
    asked, hurried = request(settings, model.model), settings.timeout > SECONDS
    short = settings.model_copy(update={"timeout": min(settings.timeout, SECONDS)})
    outcome = run(short, asked, AuthorizedClient(client, settings), clock.monotonic)
    text = f"{asked.method} {shown_url(asked.url)}"
    left = None if outcome.expires is None else (outcome.expires - clock.time()) / _DAY
    if outcome.failure is FailureKind.TIMEOUT and hurried:
        todo = f"the daemon waits {settings.timeout:g} s for it"
        yield missing("", f"{text}: no answer within {SECONDS:g} s", todo)
    elif outcome.failure:
        yield problem("", f"{text}: {outcome.message}", _advice(outcome.failure))
    else:
        yield ok("", f"{text}: as expected, in {1000 * (outcome.seconds or 0.0):.0f} ms")
    if left is not None and left < _SOON:
        yield problem("", f"the server's certificate has {left:.0f} days left", "have it renewed")


def _advice(failure: FailureKind) -> str:
    if failure in (FailureKind.STATUS, FailureKind.BODY, FailureKind.ANSWER):
        return "look at the server; or at the probe's status, matches and answer"
    if failure is FailureKind.ADDRESS:
        return "list the address in collect.allowed_probe_hosts if it is meant"
    return "start the server, or set the probe's url right"
