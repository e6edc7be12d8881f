"""Reads what the demo's Watchkeeper says: its API, its metrics, and the messages on its console."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from monitor.demo.data import DemoError
from monitor.demo.episodes import DemoTransition

_MESSAGE = re.compile(r"^(FIRING|RESOLVED) .*\((\w+)\)$")


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the console receiver, and why it was sent."""

    text: str
    reason: str
    resolved: bool


class Watch:
    """A running Watchkeeper at `url` whose output goes to `log`. Raises DemoError when it stops answering."""

    def __init__(self, url: str, log: Path) -> None:
        self._http = httpx.Client(base_url=url, timeout=30.0)
        self._log = log
        self._read = 0
        self.messages: list[Message] = []

    def ready(self) -> bool:
        try:
            return self._http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._http.close()

    def new_messages(self) -> list[Message]:
        """What was told on the console since the last call."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._read += len(whole) + 1
        found = []
        for line in whole.decode(errors="replace").splitlines():
            if match := _MESSAGE.match(line):
                found.append(Message(line, match[2], match[1] == "RESOLVED"))
        self.messages += found
        return found

    def reference_rows(self, model: str) -> int:
        """Rows of the reference that the model is held against; 0 while it is being built."""
        return sum(int(one["rows"]) for one in self._status(model)["references"]["in_force"])

    def judged_until(self, model: str) -> float:
        """The end of the newest window with a verdict, in event time; 0 while there is none."""
        return float(self._status(model)["judged_until"] or 0.0)

    def transitions(self) -> list[DemoTransition]:
        """Every change of an alert's state, oldest first."""
        newest_first = self._get("/api/v1/alerts", limit=10_000).json()["transitions"]
        return [DemoTransition.of(item) for item in reversed(newest_first)]

    def owes(self) -> bool:
        """Whether notifications wait to be delivered."""
        families = text_string_to_metric_families(self._get("/metrics").text)
        pending = (family for family in families if family.name == "watchkeeper_outbox_pending")
        return any(sample.value for family in pending for sample in family.samples)

    def _status(self, model: str) -> dict[str, Any]:
        models = self._get("/api/v1/status").json()["models"]
        return next(dict(item) for item in models if item["model"] == model)

    def _get(self, path: str, **parameters: str | int) -> httpx.Response:
        try:
            reply = self._http.get(path, params=parameters)
            reply.raise_for_status()
        except httpx.HTTPError as error:
            raise DemoError(f"Watchkeeper did not answer {path}: {error}; see {self._log}") from error
        return reply
