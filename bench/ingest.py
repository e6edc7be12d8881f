"""How many predictions a second are taken and synced on one core, and how long an acknowledgement takes at half that.

    python -m bench.ingest [--seconds 10] [--kind predictions|labels] [--during 'CMD with {url}'] [--json]

The server runs the real application (parse, group commit, SQLite with synchronous=FULL) in a process of its own on one
core; the load comes from another. The peer, in the same run: the same HTTP stack with one row an event and an index on
its id, the design that most such services start with.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROWS = 100
FEATURES = 20
BODIES = 300
CONNECTIONS = 32


@dataclass
class Result:
    design: str
    kind: str
    rows_per_second: float
    half_load: float
    p50_ms: float
    p99_ms: float
    refused: int
    cpu_seconds: float
    """Of the server, during the throughput run."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the two phases")
    parser.add_argument("--kind", choices=["predictions", "labels"], default="predictions")
    parser.add_argument("--during", default="", help="a command to run meanwhile; {url} is the database's")
    parser.add_argument(
        "--folder", type=Path, default=None, help="where the databases go (default: a new temporary one)"
    )
    parser.add_argument("--designs", nargs="+", default=["watchkeeper", "naive"])
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)), help="the server's")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    others = os.sched_getaffinity(0) - {options.core}
    os.sched_setaffinity(0, others or {options.core})
    results = []
    for design in options.designs:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            results.append(measure(design, options, Path(folder)))
    if options.json:
        print(json.dumps([asdict(result) for result in results]))
        return 0
    for result in results:
        print(
            f"{result.design:12} {result.kind}: {result.rows_per_second:8,.0f} rows/s;  "
            f"at {result.half_load:,.0f} rows/s p50 {result.p50_ms:.1f} ms, p99 {result.p99_ms:.1f} ms;  "
            f"refused {result.refused}"
        )
    if len(results) == 2:
        print(f"ratio        {results[0].rows_per_second / results[1].rows_per_second:.1f}")
    return 0


def measure(design: str, options: argparse.Namespace, folder: Path) -> Result:
    requests = [request(options.kind, design) for _ in range(BODIES)]
    with server(design, options.core, folder) as (port, pid), meanwhile(options.during, folder):
        asyncio.run(load(port, requests, seconds=1.0))
        before = cpu_seconds(pid)
        peak = asyncio.run(load(port, requests, options.seconds))
        used = cpu_seconds(pid) - before
        rate = len(peak.latencies) / peak.seconds
        half = asyncio.run(load(port, requests, options.seconds, rate=rate / 2))
    cuts = statistics.quantiles(half.latencies, n=100)
    return Result(
        design=design,
        kind=options.kind,
        rows_per_second=round(rate * ROWS),
        half_load=round(rate * ROWS / 2),
        p50_ms=round(cuts[49] * 1000, 2),
        p99_ms=round(cuts[98] * 1000, 2),
        refused=peak.refused + half.refused,
        cpu_seconds=round(used, 2),
    )


SLOT = "00000000-0000-0000-0000-000000000000"


class Template:
    """A request whose ids are new and random each time it is sent: a batch is never the same as one before."""

    def __init__(self, request: bytes) -> None:
        self._parts = request.split(SLOT.encode())

    def fresh(self) -> bytes:
        bits = random.getrandbits
        out = [self._parts[0]]
        for part in self._parts[1:]:
            out.append(b"%036x" % bits(128))
            out.append(part)
        return b"".join(out)


def request(kind: str, design: str) -> Template:
    rows = [prediction() if kind == "predictions" else label() for _ in range(ROWS)]
    body = json.dumps(rows).encode()
    path = f"/v1/models/bench/{kind}" if design == "watchkeeper" else f"/naive/{kind}"
    headers = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return Template(f"POST {path} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body)


def prediction() -> dict[str, object]:
    features: dict[str, object] = {f"number_{i}": random.gauss(0, 1) for i in range(FEATURES - 5)}
    features |= {f"category_{i}": random.choice(["alpha", "beta", "gamma"]) for i in range(5)}
    score = random.random()
    return {
        "id": SLOT,
        "time": time.time(),
        "features": features,
        "prediction": int(score > 0.5),
        "probabilities": {"0": 1 - score, "1": score},
        "latency_seconds": 0.012,
    }


def label() -> dict[str, object]:
    return {"id": SLOT, "time": time.time(), "label": random.randint(0, 1)}


@dataclass
class Load:
    latencies: list[float]
    refused: int
    seconds: float


async def load(port: int, requests: list[Template], seconds: float, rate: float | None = None) -> Load:
    """Sends for `seconds`: as fast as replies come, or `rate` requests a second whether they come or not; then the
    latency counts from the moment at which a request was due."""
    latencies: list[float] = []
    refused = 0
    started = time.perf_counter()
    due: asyncio.Queue[float] = asyncio.Queue()

    async def pace() -> None:
        assert rate is not None
        for index in range(int(seconds * rate)):
            at = started + index / rate
            if (wait := at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            due.put_nowait(at)
        for _ in range(CONNECTIONS):
            due.put_nowait(-1.0)

    async def connection(number: int) -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        index = number
        while True:
            at = time.perf_counter() if rate is None else await due.get()
            if at < 0 or (rate is None and at - started > seconds):
                break
            writer.write(requests[index % len(requests)].fresh())
            index += CONNECTIONS
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if head.startswith(b"HTTP/1.1 202"):
                latencies.append(time.perf_counter() - at)
            else:
                refused += 1
        writer.close()

    tasks = [connection(number) for number in range(CONNECTIONS)]
    await asyncio.gather(*tasks, *([pace()] if rate is not None else []))
    return Load(latencies, refused, time.perf_counter() - started)


@contextlib.contextmanager
def server(design: str, core: int, folder: Path) -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-m", "bench.ingest_server", design, str(core), str(folder / "bench.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def meanwhile(command: str, folder: Path) -> Iterator[None]:
    if not command:
        yield
        return
    arguments = [part.replace("{url}", f"sqlite:///{folder / 'bench.db'}") for part in shlex.split(command)]
    process = subprocess.Popen(arguments)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
