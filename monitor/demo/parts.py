"""The demo's parts apart, for containers: what has to be there first, and the replay through servers that run.

Run as processes of their own, beside ``monitor.demo.server`` and Watchkeeper: ``python -m monitor.demo.parts prepare
--dir DIR``, then ``… replay --dir DIR --server URL --watchkeeper URL``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pyarrow.parquet as pq

from monitor.clock import Clock, SystemClock
from monitor.demo import train
from monitor.demo.data import DemoError, between, prepare, reference_path
from monitor.demo.processes import wait_until
from monitor.demo.replay import Departures, LabelQueue, Pace, Wire, replay
from monitor.demo.settings import MODEL
from monitor.demo.story import DAY, REPLAY, story
from monitor.demo.watch import Watch

TOKEN = "WATCHKEEPER_TOKEN"
"""The environment's name of the token with which predictions and labels are sent; Watchkeeper may want none."""
REFERENCE_SECONDS = 120.0


def main(arguments: list[str] | None = None) -> int:
    """Runs one part; 0, or 1 with the reason on stderr."""
    options = _parser().parse_args(arguments)
    try:
        if options.part == "prepare":
            prepared(options.dir)
        else:
            played(options, SystemClock())
    except DemoError as error:
        print(f"monitor.demo.parts {options.part}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor.demo.parts")
    parts = parser.add_subparsers(dest="part", required=True)
    first = parts.add_parser("prepare", help="makes the flights' file and the reference, unless they are there")
    second = parts.add_parser("replay", help="sends the flights through the model server, the labels to Watchkeeper")
    for part in (first, second):
        part.add_argument("--dir", type=Path, required=True, help="where both files are kept")
    # The server takes faults from its own machine only: the replay is to share its network.
    second.add_argument("--server", required=True, help="the model server's address, on the loopback")
    second.add_argument("--watchkeeper", required=True, help="Watchkeeper's address")
    second.add_argument("--speed", type=float, default=1.0, help="days of flights a second")
    second.add_argument("--days", type=int, help="replay only so many days")
    return parser


def prepared(folder: Path) -> None:
    """Makes what is missing of the flights' file and the reference in `folder`. Raises DemoError."""
    flights, reference = prepare(folder), reference_path(folder)
    if not reference.exists():
        train.main(["--flights", str(flights), "--reference", str(reference)])
    print(f"{flights.name} and {reference.name} are in {folder}", flush=True)


def played(options: argparse.Namespace, clock: Clock) -> None:
    """Plays the year, or its first `days`, with its faults. Raises DemoError when a part does not answer."""
    watch = Watch(options.watchkeeper, Path(os.devnull))
    built = _answered(lambda: watch.reference_rows(MODEL) > 0)
    wait_until(built, "the reference of Watchkeeper", (), clock, REFERENCE_SECONDS)
    serves = _answered(lambda: httpx.get(f"{options.server}/healthz", timeout=5.0).is_success)
    wait_until(serves, "the model server's start", (), clock)
    until = REPLAY[0] + options.days * DAY if options.days else REPLAY[1]
    rows = between(pq.read_table(prepare(options.dir)), REPLAY[0], until)
    wire = Wire(options.server, options.watchkeeper, MODEL, token=os.environ.get(TOKEN))
    try:
        replay(rows, story(REPLAY[0]), _Sent(wire), Pace(options.speed, clock), lambda _time: None)
    finally:
        wire.close()
        watch.close()
    print(f"replayed {rows.num_rows:,} flights in {wire.requests:,} requests", flush=True)


def _answered(ready: Callable[[], bool]) -> Callable[[], bool]:
    """`ready`, false while nobody answers yet."""

    def asked() -> bool:
        try:
            return ready()
        except (DemoError, httpx.HTTPError):
            return False

    return asked


class _Sent:
    """A sink that keeps nothing of what was answered."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def predict(self, departures: Departures) -> None:
        self._wire.predict(departures)

    def label(self, labels: LabelQueue) -> None:
        self._wire.label(labels)

    def slow(self, seconds: float) -> None:
        self._wire.slow(seconds)


if __name__ == "__main__":
    sys.exit(main())
