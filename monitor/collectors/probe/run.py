"""One run of a probe: its request, and what the answer is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.collectors.authorized import AuthorizedClient
from monitor.collectors.probe.certificate import expiry
from monitor.collectors.probe.expectation import Unmet, body_unmet, status_unmet
from monitor.net.client import Request
from monitor.net.errors import ExchangeError, FailureKind
from monitor.settings.server import ProbeSettings

MAX_BYTES = 1 << 20
"""Of an answer's body."""


@dataclass(frozen=True)
class ProbeOutcome:
    """What came of it. Each part is None where the server was not heard so far."""

    failure: FailureKind | None = None
    message: str = ""
    """Why it failed, in one sentence without secrets."""
    seconds: float | None = None
    status: int | None = None
    expires: float | None = None
    """When the server's certificate expires, in epoch seconds."""


def run(
    settings: ProbeSettings, request: Request, client: AuthorizedClient, monotonic: Callable[[], float]
) -> ProbeOutcome:
    """Runs the probe once, within its time-out. Raises nothing that the network or the server may cause."""
    began, seconds, status, certificate, body = monotonic(), None, None, None, b""
    try:
        with client.ask(request, settings.timeout) as answer:
            status, certificate = answer.status, answer.certificate
            unmet = status_unmet(settings, status)
            if unmet is None:
                body = answer.read(MAX_BYTES)
            seconds = monotonic() - began
    except ExchangeError as error:
        unmet, certificate = Unmet(error.failure, str(error)), certificate or error.certificate
    else:
        unmet = unmet or body_unmet(settings, body)
    failure, message = unmet or (None, "")
    return ProbeOutcome(failure, client.without_secrets(message), seconds, status, _expiry(certificate))


def _expiry(certificate: bytes | None) -> float | None:
    try:
        return expiry(certificate) if certificate else None
    except ValueError:
        return None
