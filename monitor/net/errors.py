"""Why a request failed: one word for metrics, one sentence for people."""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Few, for they are a metric's label."""

    ADDRESS = "address"
    """The name resolves to an address that may not be asked."""
    DNS = "dns"
    CONNECT = "connect"
    """Refused, unreachable, or closed without an answer."""
    TLS = "tls"
    TIMEOUT = "timeout"
    NOT_HTTP = "not_http"
    TOO_LARGE = "too_large"
    STATUS = "status"
    BODY = "body"
    """The text, or the JSON as such, is not what was to come."""
    ANSWER = "answer"
    """The JSON says something else than what is known to be right."""
    INTERNAL = "internal"
    """A fault of Watchkeeper's own."""


class ExchangeError(Exception):
    """No answer, or none that is good; the message says why, without the request's secrets."""

    def __init__(self, failure: FailureKind, message: str, certificate: bytes | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.certificate = certificate
        """What the server showed (DER), where the failure is about it."""
