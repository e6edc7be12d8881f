"""A real Alertmanager on loopback, and what it sends."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.e2e.process import free_port, wait_for
from tests.fakes.serving import serving
from tests.needs import program

_CONFIG = """
route: {{receiver: hook, group_by: [alertname, model], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook}", send_resolved: true}}]
"""


class Alertmanager:
    """May be stopped and started again on the same port; its storage is kept, as on a real restart."""

    def __init__(self, folder: Path, hook: str = "http://127.0.0.1:9/", config: str = "") -> None:
        """`config` is added to its config file."""
        self._program = program("prometheus-alertmanager", "prometheus-alertmanager")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._port = folder, free_port()
        (folder / "alertmanager.yml").write_text(_CONFIG.format(hook=hook) + config)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        arguments = [
            self._program,
            f"--config.file={self._folder / 'alertmanager.yml'}",
            f"--storage.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log)
        wait_for(self._ready, "Alertmanager is ready", 30)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(30)

    def alerts(self) -> dict[str, dict[str, Any]]:
        """What it holds, by the alert's name."""
        return {alert["labels"]["alertname"]: alert for alert in self._get("/api/v2/alerts")}

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=30) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def __enter__(self) -> Alertmanager:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def seconds(stamp: str) -> float:
    """A time as Alertmanager writes it, in epoch seconds."""
    return datetime.fromisoformat(stamp).timestamp()


class Hook:
    """Takes Alertmanager's webhooks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told: list[tuple[str, str]] = []
        """(alertname, firing or resolved), in the order in which they came."""


@contextmanager
def hook() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.told += [(alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"]]
            self.send_response(200)
            self.end_headers()

    with serving(Handler) as url:
        taken = Hook(f"{url}/")
        yield taken
