"""Honest clients, whose waiting is measured while others attack."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

PERIOD = 0.05
TOKEN = "honest-ingest-token"
_BODY = json.dumps([{"id": f"h{i}", "prediction": 1, "features": {"x": float(i)}} for i in range(10)]).encode()


@dataclass
class Seen:
    waits: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Answers other than 202."""
    most_bytes: int = 0
    """The daemon's resident memory at its highest."""

    @property
    def p99(self) -> float:
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else float("inf")


def watch(port: int, pid: int, seconds: float) -> Seen:
    """Send small batches over one connection that is kept, and over a new one each time, for so long."""
    seen, over = Seen(), threading.Event()
    clients = [threading.Thread(target=_send, args=(port, seen, over, kept)) for kept in (True, False)]
    for client in clients:
        client.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen.most_bytes = max(seen.most_bytes, resident(pid))
        time.sleep(0.1)
    over.set()
    for client in clients:
        client.join()
    return seen


def resident(pid: int) -> int:
    """The bytes of a process that lie in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def _send(port: int, seen: Seen, over: threading.Event, kept: bool) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not over.wait(PERIOD):
        began = time.monotonic()
        try:
            connection.request("POST", "/v1/models/delays/predictions", _BODY, headers)
            status = connection.getresponse()
            status.read()
            if status.status != 202:
                seen.wrong.append(f"{status.status}")
        except (OSError, http.client.HTTPException) as error:
            seen.wrong.append(f"{'kept' if kept else 'new'}: {error!r}")
            connection.close()
        seen.waits.append(time.monotonic() - began)
        if not kept:
            connection.close()
