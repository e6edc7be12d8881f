"""Requests that are not served: one sentence, a status, and a reason to count."""

from __future__ import annotations

from enum import StrEnum


class RefusalReason(StrEnum):
    """The label of the counter of refused requests."""

    MALFORMED = "malformed"
    UNAUTHORIZED = "unauthorized"
    FOREIGN_HOST = "foreign_host"
    FOREIGN_ORIGIN = "foreign_origin"
    NOT_FOUND = "not_found"
    UNKNOWN_MODEL = "unknown_model"
    TOO_LARGE = "too_large"
    CONTENT_TYPE = "content_type"
    KEY_REUSED = "key_reused"
    OVER_CAPACITY = "over_capacity"
    UNAVAILABLE = "unavailable"
    METHOD = "method"
    TOO_SLOW = "too_slow"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    FAILED = "failed"


STATUS = {
    RefusalReason.MALFORMED: 400,
    RefusalReason.UNAUTHORIZED: 401,
    RefusalReason.FOREIGN_HOST: 403,
    RefusalReason.FOREIGN_ORIGIN: 403,
    RefusalReason.NOT_FOUND: 404,
    RefusalReason.UNKNOWN_MODEL: 404,
    RefusalReason.METHOD: 405,
    RefusalReason.TOO_SLOW: 408,
    RefusalReason.TOO_LARGE: 413,
    RefusalReason.CONTENT_TYPE: 415,
    RefusalReason.KEY_REUSED: 422,
    RefusalReason.OVER_CAPACITY: 429,
    RefusalReason.HEAD_TOO_LARGE: 431,
    RefusalReason.FAILED: 500,
    RefusalReason.UNAVAILABLE: 503,
    RefusalReason.TOO_MANY_CONNECTIONS: 503,
}


class Refused(Exception):
    """A request that is answered with an error. `retry_after` (seconds) says when to try again;
    `basic` has a browser ask for a password."""

    def __init__(
        self, why: RefusalReason, message: str, retry_after: float | None = None, *, basic: bool = False
    ) -> None:
        super().__init__(message)
        self.why = why
        self.retry_after = retry_after
        self.basic = basic

    @property
    def status(self) -> int:
        return STATUS[self.why]

    @property
    def headers(self) -> dict[str, str]:
        if self.why is RefusalReason.UNAUTHORIZED:
            return {"WWW-Authenticate": 'Basic realm="Watchkeeper", Bearer' if self.basic else "Bearer"}
        if self.retry_after is not None:
            return {"Retry-After": f"{max(1, round(self.retry_after))}"}
        return {}
