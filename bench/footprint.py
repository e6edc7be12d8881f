"""What the sidecar costs: time to the first scrape, memory and CPU idle at its default intervals, memory at peak.

The daemon runs as its users start it, beside a real FastAPI server that is asked once a second. 'Peak' is the largest
sum of proportional set sizes (PSS: shared pages counted once) of the daemon and its worker while a backlog of
predictions and labels is compacted and measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median

import psutil

from bench.table import Row
from tests.e2e.process import Daemon, free_port, wait_for
from tests.e2e.stream import HOUR, START, batches, write_reference
from tests.fakes.nvml import VARIABLE, Gpus, build
from tests.servers.alertmanager import Alertmanager

CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {{every: 1h, allowed_lateness: 5m, min_rows: 50}}
labels: {{maturity: 6h}}
server: {{preset: fastapi, url: "http://127.0.0.1:{port}"}}
alertmanager: {{members: ["{alertmanager}"]}}
checks:
  report: {{type: evidently, preset: DataDriftPreset, window: 20h, every: 20h, sample: 500}}
probes:
  - {{name: metrics, url: "http://127.0.0.1:{port}/metrics", interval: 15s, matches: http_requests}}
"""
"""Every collector is on: host, container and process by default, GPUs by the stand-in for NVIDIA's library."""


STARTS = 6


def pss(pid: int) -> float:
    """Proportional set size of a process and its children, MB."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
    return total / 1e6


def workers(pid: int) -> list[psutil.Process]:
    """The daemon's children but for multiprocessing's resource tracker, which stays (7 MB PSS, counted)."""
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends while it is looked at
            if "resource_tracker" not in " ".join(child.cmdline()):
                found.append(child)
    return found


class Peak(threading.Thread):
    """The largest PSS of the tree until stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.value, self.enough = pid, 0.0, threading.Event()

    def run(self) -> None:
        while not self.enough.wait(0.05):
            self.value = max(self.value, pss(self.pid))


def backlog(daemon: Daemon, repeat: int) -> None:
    """Posts `repeat` × 20 hours of predictions and labels as fast as they are taken."""
    for round_ in range(repeat):
        shift = round_ * 20 * HOUR
        for kind, rows in batches():
            moved = [dict(row, id=f"{round_}-{row['id']}", time=row["time"] + shift) for row in rows]
            daemon.post(f"/v1/models/parcels/{kind}", moved)
    last = START + (repeat * 20 - 1) * HOUR
    wait_for(lambda: (daemon.rows("select judged_window from progress") or [(0,)])[0][0] == last, "judged", 300)


def measure(seconds: float) -> list[Row]:
    """The figures, with the budget of each."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        write_reference(folder / "reference.csv")
        gpus = Gpus(folder / "gpus", count=2)
        # As an installed Watchkeeper runs: compiling at every start costs a second and 10 MB.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        environment = {"LD_LIBRARY_PATH": str(build(folder).parent), VARIABLE: str(gpus.path)}
        alertmanager = Alertmanager(folder / "alertmanager")
        alertmanager.start()
        server = subprocess.Popen([sys.executable, "-m", "tests.fakes.model_server", "--port", str(port)])
        try:
            wait_for(lambda: _answers(f"http://127.0.0.1:{port}/metrics"), "the model server answers")
            daemon = Daemon(
                folder, CONFIG.format(port=port, alertmanager=alertmanager.url), env=environment, by_command=True
            )
            starts = [_first_scrape(daemon) for _ in range(STARTS)][1:]  # the first may have to compile
            first = f"{median(starts):.2f} s ({min(starts):.2f} to {max(starts):.2f}, {len(starts)} starts)"
            with daemon:
                return [
                    Row("start to first scrape, median", first, "≤ 2 s", median(starts) <= 2),
                    *_run(daemon, port, seconds),
                ]
        finally:
            alertmanager.stop()
            server.terminate()
            server.wait()


def _first_scrape(daemon: Daemon) -> float:
    """Seconds from the command to an answer of /metrics."""
    began = time.monotonic()
    with daemon:
        daemon.get("/metrics")
        return time.monotonic() - began


def _run(daemon: Daemon, port: int, seconds: float) -> list[Row]:
    peak = Peak(daemon.pid)
    peak.start()
    backlog(daemon, repeat=5)
    peak.enough.set()
    peak.join()
    wait_for(lambda: not workers(daemon.pid) or None, "the idle worker has gone", 120)
    process = psutil.Process(daemon.pid)
    before, began = process.cpu_times(), time.monotonic()
    while time.monotonic() - began < seconds:
        _answers(f"http://127.0.0.1:{port}/predict", b"")
        time.sleep(1)
    after = process.cpu_times()
    cpu = (after.user + after.system - before.user - before.system) / (time.monotonic() - began)
    rss = process.memory_info().rss / 1e6
    return [
        Row("daemon, RSS, all collectors on", f"{rss:.1f} MB", "≤ 80 MB", rss <= 80),
        Row(f"daemon, CPU at 15 s over {seconds:.0f} s", f"{cpu:.2%} of a core", "≤ 1 %", cpu <= 0.01),
        Row("process tree, PSS idle", f"{pss(daemon.pid):.1f} MB", "reported", None),
        Row("process tree, PSS at peak (backlog of 12,000 rows)", f"{peak.value:.1f} MB", "reported", None),
    ]


def _answers(url: str, body: bytes | None = None) -> bool:
    try:
        with urllib.request.urlopen(url, data=body, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long CPU is measured")
    print(json.dumps([row._asdict() for row in measure(parser.parse_args().seconds)], indent=2, ensure_ascii=False))
