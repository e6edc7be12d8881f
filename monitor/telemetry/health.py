"""What of Watchkeeper itself is not well. Degraded is said, not hidden; only ingest decides readiness."""

from __future__ import annotations

import threading

from alerts.redact import redacted

DATABASE = "database"


class Health:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[str, str] = {}
        self._not_ready: str | None = "starting"

    def report(self, part: str, problem: str | None) -> None:
        """Says that `part` has a problem (one sentence), or none any more."""
        with self._lock:
            if problem:
                self._problems[part] = redacted(problem)
            else:
                self._problems.pop(part, None)

    def degraded(self) -> dict[str, str]:
        with self._lock:
            return dict(self._problems)

    def ingest(self, problem: str | None) -> None:
        """Says whether predictions and labels can be taken."""
        with self._lock:
            self._not_ready = redacted(problem)

    def database(self, problem: str | None) -> None:
        """Record why batches can't be stored, which makes ingest unready; None once they can be again."""
        with self._lock:
            if problem:
                self._problems[DATABASE] = self._not_ready = redacted(problem)
            elif self._problems.pop(DATABASE, None) is not None:
                self._not_ready = None

    def database_problem(self) -> str | None:
        """Return why batches can't be stored, as far as is known."""
        with self._lock:
            return self._problems.get(DATABASE)

    def not_ready(self) -> str | None:
        """Why ingest can't be served, or None when it can."""
        with self._lock:
            return self._not_ready
