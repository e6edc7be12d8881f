"""A daemon with everything there is to watch, under a real Prometheus that evaluates its exported rules: a model server
under traffic, probes, a container, a GPU (the stand-in for NVIDIA's library), segments, labels, faults."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.process import COMMAND, Daemon, wait_for
from tests.e2e.serving import ask
from tests.e2e.stream import HOUR, START, batches, write_reference
from tests.fakes.authority import Authority
from tests.fakes.nvml import VARIABLE, Gpus, build
from tests.fakes.peer import Peer
from tests.monitor.collectors.container.test_cgroup import TREES
from tests.servers.alertmanager import Alertmanager
from tests.servers.prometheus import Prometheus

CONFIG = """
model: parcels
reference: {{path: reference.csv, version: "1", first: 3h}}
time: replay
server: {{preset: fastapi, url: "{server}", interval: 1s}}
probes:
  - {{name: metrics, url: "{server}/metrics", interval: 1s}}
  - {{name: certificate, url: "{tls}", interval: 1s, ca_file: "{ca}"}}
windows: {{every: 1h, allowed_lateness: 5m, min_rows: 50}}
labels: {{maturity: 3h}}
segments: [{{feature: colour, min_rows: 10}}]
checks: {{drift: {{lookback: [6h]}}}}
alertmanager: {{members: ["{alertmanager}"], resend: 1s}}
collect: {{interval: 1s, cgroup: "{cgroup}"}}
evaluate: 1s
rules:
  - {{name: missing-values, for: 0s}}
"""
HOURS = 16


@dataclass
class Watched:
    daemon: Daemon
    prometheus: Prometheus
    rules: str
    """The rule file that Prometheus evaluates."""


@contextmanager
def watched(folder: Path, server: str) -> Iterator[Watched]:
    """Until the block ends; `server` is the address of a model server under traffic (tests.fakes.model_server)."""
    write_reference(folder / "reference.csv", rows=3000)
    cgroup = Path(shutil.copytree(TREES / "v2_namespace", folder / "cgroup"))
    gpus, authority = Gpus(folder / "gpus"), Authority(folder)
    gpus.put({"0.processes": f"{listening(server)}:{1 << 30}"})
    environment = {"LD_LIBRARY_PATH": str(build(folder).parent), VARIABLE: str(gpus.path)}
    with (
        Peer(says, authority.context("127.0.0.1", datetime(2039, 1, 1, tzinfo=UTC))) as tls,
        Alertmanager(folder / "alertmanager") as alertmanager,
        throttled(cgroup),
    ):
        config = CONFIG.format(
            server=server, alertmanager=alertmanager.url, cgroup=cgroup, tls=tls.url, ca=authority.file
        )
        with Daemon(folder, config, env=environment) as daemon:
            rules = exported(folder)
            with Prometheus(folder / "prometheus", f"127.0.0.1:{daemon.port}", rules) as prometheus:
                feed(daemon)
                go_wrong(prometheus, server, gpus)
                done = "select 1 from progress where judged_window >= ?"
                wait_for(lambda: daemon.rows(done, START + (HOURS - 2) * HOUR), "every closed window is judged", 60)
                last = f"watchkeeper_window_end_timestamp_seconds >= {START + (HOURS - 1) * HOUR}"
                wait_for(lambda: prometheus.ask(last), "Prometheus knows", 30)
                yield Watched(daemon, prometheus, rules)


def listening(url: str) -> int:
    """The process that listens at an address."""
    port = int(url.rpartition(":")[2])
    (found,) = {c.pid for c in psutil.net_connections("tcp") if c.laddr.port == port and c.status == psutil.CONN_LISTEN}
    assert found is not None
    return int(found)


def says(to: BaseHTTPRequestHandler, _: bytes) -> None:
    to.send_response(204)
    to.end_headers()


def go_wrong(prometheus: Prometheus, server: str, gpus: Gpus) -> None:
    """Requests fail for a while, and the GPU reports an XID."""
    gpus.put({"xids": "0:79"})
    ask(f"{server}/fault?broken=true", b"")
    wait_for(lambda: prometheus.ask("watchkeeper_error_ratio > 0"), "Prometheus knows that requests fail", 60)
    ask(f"{server}/fault", b"")


def exported(folder: Path) -> str:
    """The rules that Prometheus is to evaluate, every group of them each second."""
    command = [str(COMMAND), "rules", "export", "--recording"]
    text = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return text.replace("interval: 2m", "interval: 1s")


def feed(daemon: Daemon) -> None:
    """Hours of predictions and labels, and what else may be sent."""
    sent: list[tuple[str, list[dict[str, Any]]]] = []
    for kind, rows in batches(hours=HOURS, fault=range(8, HOURS)):
        versioned = [{**row, "version": "1"} for row in rows] if kind == "predictions" else rows
        sent.append((f"/v1/models/parcels/{kind}", versioned))
    for path, rows in sent:
        assert daemon.post(path, rows)[0] == 202
    path, rows = sent[0]
    for _ in range(2):
        assert daemon.post(path, rows, Idempotency_Key="again")[0] == 202
    odd = {**rows[0], "id": "odd", "features": {"distance": float("nan"), "colour": "r"}, "time": START + HOURS * HOUR}
    assert daemon.post(path, [odd])[1]["accepted"] == 1
    assert daemon.post(path, [{"id": "x", "time": "never", "features": {}, "prediction": 1}])[1]["rejected"] == 1
    assert daemon.post("/v1/models/nobody/predictions", json.dumps([]).encode())[0] == 404


@contextmanager
def throttled(cgroup: Path) -> Iterator[None]:
    """Scheduling periods pass in the container, in some of which it is held back."""
    enough = threading.Event()
    stat = cgroup / "cpu.stat"

    def pass_() -> None:
        while not enough.wait(0.2):
            lines = dict(line.split() for line in stat.read_text().splitlines())
            for name, more in (("nr_periods", 10), ("nr_throttled", 3), ("throttled_usec", 1000)):
                lines[name] = str(int(lines[name]) + more)
            fresh = stat.with_suffix(".new")
            fresh.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
            fresh.replace(stat)

    passing = threading.Thread(target=pass_)
    passing.start()
    try:
        yield
    finally:
        enough.set()
        passing.join()
