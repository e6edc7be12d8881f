"""A real Prometheus on loopback that scrapes one daemon, and Debian's promtool."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.e2e.process import free_port, wait_for
from tests.needs import program

_CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - {{job_name: watchkeeper, static_configs: [{{targets: ["{target}"]}}]}}
"""


def promtool(*arguments: str, given: str = "", together: bool = False) -> subprocess.CompletedProcess[str]:
    """Run promtool; with `together` its standard output and error come as one text, in the order of writing."""
    command = [program("promtool", "prometheus"), *arguments]
    error = subprocess.STDOUT if together else subprocess.PIPE
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=error, text=True, timeout=120)


class Prometheus:
    def __init__(self, folder: Path, target: str, rules: str = "") -> None:
        """`target`: host:port; `rules`: the text of a rule file."""
        self._program = program("prometheus", "prometheus")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._port = folder, free_port()
        (folder / "rules.yml").write_text(rules or "groups: []\n")
        (folder / "prometheus.yml").write_text(_CONFIG.format(rules=folder / "rules.yml", target=target))
        self._process: subprocess.Popen[bytes] | None = None

    def get(self, path: str, **query: str) -> Any:
        """`data` of an answer of the HTTP API."""
        url = f"http://127.0.0.1:{self._port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)["data"]

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What an expression gives now. Raises urllib's HTTPError when Prometheus can't make sense of it."""
        return list(self.get("/api/v1/query", query=query)["result"])

    def names(self) -> set[str]:
        """Every metric that it has."""
        return set(self.get("/api/v1/label/__name__/values"))

    def scopes(self, name: str) -> set[str]:
        """The values of the label `scope` of one of Watchkeeper's metrics."""
        return set(self.get("/api/v1/label/scope/values", **{"match[]": f"watchkeeper_{name}"}))

    def firing(self) -> set[str]:
        return {
            alert["labels"]["alertname"] for alert in self.get("/api/v1/alerts")["alerts"] if alert["state"] == "firing"
        }

    def __enter__(self) -> Prometheus:
        arguments = [
            self._program,
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log)
        wait_for(self._ready, "Prometheus is ready", 60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=30) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False
