"""What was acknowledged survives `kill -9`, exactly once; a commit is on disk before it is acknowledged."""

from __future__ import annotations

import http.client
import random
import subprocess
import threading
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SystemClock
from monitor.config.load import load
from monitor.daemon.daemon import Daemon as Built
from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import HOUR, START, write_reference
from tests.needs import program
from tests.seeds import half

CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {every: 10m, allowed_lateness: 1m, min_rows: 50}
collect: {host: false}
evaluate: 100ms
default_rules: false
"""


class Sender(threading.Thread):
    """Sends numbered batches until told to stop; each until it is acknowledged, under one Idempotency-Key."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self.daemon_under_test = daemon
        self.enough = threading.Event()
        self.acknowledged = 0
        self.retries = 0

    def run(self) -> None:
        while not self.enough.is_set():
            number = self.acknowledged
            time = START + number * 60
            rows: list[dict[str, Any]] = [
                {
                    "id": f"{number}-{index}",
                    "time": time + index,
                    "features": {"distance": 1000.0 + index, "colour": "r"},
                    "prediction": 1,
                    "probabilities": 0.7,
                }
                for index in range(20)
            ]
            self._until_acknowledged("predictions", rows, f"p{number}")
            labels = [{"id": row["id"], "label": 1, "time": row["time"] + HOUR} for row in rows]
            self._until_acknowledged("labels", labels, f"l{number}")
            self.acknowledged += 1

    def _until_acknowledged(self, kind: str, rows: list[dict[str, Any]], key: str) -> None:
        for _ in range(2000):
            try:
                status, reply = self.daemon_under_test.post(f"/v1/models/parcels/{kind}", rows, Idempotency_Key=key)
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError):
                self.retries += 1
                threading.Event().wait(0.02)
                continue
            if status == 202 and reply["accepted"] == len(rows):
                return
            assert status in {429, 503}, (status, reply)
        raise AssertionError(f"{kind} {key} was never acknowledged")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", half([8, 20]))
def test_kills_lose_nothing_and_double_nothing(tmp_path: Path, kills: int) -> None:
    write_reference(tmp_path / "reference.csv", rows=2000)
    rng = random.Random(3)
    daemon = Daemon(tmp_path, CONFIG, by_command=True)
    daemon.start()
    sender = Sender(daemon)
    sender.start()
    try:
        for kill in range(kills):
            before, more = sender.acknowledged, rng.randint(1, 12)
            wait_for(lambda: sender.acknowledged > before + more, "the sender gets on")  # noqa: B023
            if kill % 4 == 3:
                # Some die while the worker compacts and verdicts are recorded, not only while batches come in.
                compacted = _compacted(daemon)
                wait_for(lambda: _compacted(daemon) > compacted, "the worker gets on")  # noqa: B023
            daemon.kill()
            daemon.by_command = kill % 4 == 3
            daemon.start()
        sender.enough.set()
        sender.join(timeout=60)
        assert sender.acknowledged > kills
        assert sender.retries > 0, "no kill met a request under way"
        wait_for(lambda: _settled(daemon), "what can be judged is judged", seconds=60)
    finally:
        sender.enough.set()
        sender.join(timeout=60)
        daemon.stop()
    assert _stored_ids(daemon, "predictions") == _expected(sender.acknowledged)
    assert _stored_ids(daemon, "labels") == _expected(sender.acknowledged)
    windows = daemon.rows("select window_start, value from measurements where name = 'window_rows' order by 1")
    assert [value for _, value in windows] == [200.0] * len(windows), windows
    assert daemon.rows("pragma integrity_check") == [("ok",)]


def _expected(batches: int) -> list[str]:
    return sorted(f"{number}-{index}" for number in range(batches) for index in range(20))


def _compacted(daemon: Daemon) -> int:
    rows = daemon.rows("select compacted_seq from progress")
    return int(rows[0][0]) if rows else 0


def _settled(daemon: Daemon) -> bool:
    rows = daemon.rows("select scanned_seq, judged_window from progress")
    [(newest,)] = daemon.rows("select max(seq) from arrivals")
    [(closed,)] = daemon.rows("select max(end) from windows")
    return bool(rows) and (newest is None or rows[0][0] >= newest) and closed is not None and rows[0][1] == closed


def _stored_ids(daemon: Daemon, kind: str) -> list[str]:
    """Ids in the log and in what it was compacted into; a double one stands here twice."""
    import msgspec
    import pyarrow as pa

    ids: list[str] = []
    for (payload,) in daemon.rows("select payload from arrivals where kind = ?", kind):
        ids += msgspec.msgpack.decode(payload)["id"]
    if kind == "labels":
        ids += [row[0] for row in daemon.rows("select prediction_id from labels")]
    else:
        for (payload,) in daemon.rows("select payload from chunks"):
            ids += pa.ipc.open_stream(payload).read_all().column("id").to_pylist()
    return sorted(ids)


def test_a_sync_comes_before_each_acknowledgement(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference.csv", rows=2000)
    trace = tmp_path / "trace"
    with Daemon(tmp_path, CONFIG) as daemon:
        strace = subprocess.Popen(
            [
                program("strace", "strace"),
                "-f",
                "-p",
                str(daemon.pid),
                "-e",
                "trace=fsync,fdatasync,sendto,write,writev",
                "-s",
                "24",
                "-o",
                str(trace),
            ],
            stderr=subprocess.PIPE,
        )
        try:
            assert strace.stderr is not None
            assert b"attached" in strace.stderr.readline()
            for number in range(10):
                row = {"id": str(number), "time": START + number, "features": {}, "prediction": 1}
                assert daemon.post("/v1/models/parcels/predictions", [row])[0] == 202
        finally:
            strace.terminate()
            strace.wait(timeout=30)
    synced, acknowledged = False, 0
    for line in trace.read_text().splitlines():
        if "fsync(" in line or "fdatasync(" in line:
            synced = True
        elif "HTTP/1.1 202" in line:
            assert synced, f"acknowledged without a sync: {line}"
            synced, acknowledged = False, acknowledged + 1
    assert acknowledged == 10


def test_synchronous_is_full_on_the_connection_that_the_daemon_writes_on(tmp_path: Path) -> None:
    (tmp_path / "watchkeeper.yaml").write_text("model: parcels\n")
    daemon = Built(load(tmp_path / "watchkeeper.yaml"), SystemClock())
    daemon.writer.start()
    try:
        asked = daemon.writer.call(lambda connection: connection.exec_driver_sql("pragma synchronous").scalar_one())
        mode = daemon.writer.call(lambda connection: connection.exec_driver_sql("pragma journal_mode").scalar_one())
    finally:
        daemon.writer.stop()
        daemon.engine.dispose()
    assert (asked, mode) == (2, "wal"), "2 is FULL"
