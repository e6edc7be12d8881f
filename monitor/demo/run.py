"""The whole demo: a model server and Watchkeeper as processes of their own, a year of flights between them."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from monitor.clock import Clock, SystemClock
from monitor.demo.data import DemoError, between, prepare, reference_path
from monitor.demo.observe import LOOK_SECONDS, Observer, Replayed
from monitor.demo.processes import Child, alone, free_port, run, wait_until
from monitor.demo.replay import Pace, Wire, replay
from monitor.demo.report import DemoReport
from monitor.demo.screen import Screen
from monitor.demo.settings import LATENESS_SECONDS, MODEL, WINDOW_SECONDS, write_config
from monitor.demo.story import DAY, REPLAY, story
from monitor.demo.watch import Watch

PAGE_PORT = 9797
CATCH_UP_SECONDS = 300.0
LOG_WIDTH = 160


def main(
    *,
    once: bool = False,
    no_faults: bool = False,
    speed: float = 1.0,
    folder: Path = Path(".watchkeeper/demo"),
    port: int = 0,
    json_file: Path | None = None,
    limit_days: int | None = None,
) -> int:
    """Runs the demo and returns its exit status: 0, 1 when a part of it failed, 2 when it can't start, 130 on Ctrl-C.

    `speed` is in days of flights a second, `port` where Watchkeeper's page is to be (0: 9797 if free), `json_file`
    gets the summary. Data, model, config, database and logs are kept in `folder`.
    """
    console = Console()
    if not console.is_terminal:
        # A log has no edge to break lines at.
        console = Console(width=LOG_WIDTH)
    try:
        with _interruptible():
            folder.mkdir(parents=True, exist_ok=True)
            with alone(folder):
                demo = _Demo(folder.resolve(), Screen(console), SystemClock(), speed, port, limit_days)
                demo.run(faults=not no_faults, stay=not once, json_file=json_file)
        return 0
    except DemoError as error:
        print(f"watchkeeper demo: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"watchkeeper demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


class _Demo:
    def __init__(
        self, folder: Path, screen: Screen, clock: Clock, speed: float, port: int, limit_days: int | None
    ) -> None:
        self.folder, self.screen, self.clock, self.speed = folder, screen, clock, speed
        self.port = port
        self.page = self.server = ""
        self.until = min(REPLAY[1], REPLAY[0] + limit_days * DAY) if limit_days else REPLAY[1]
        self.children: list[Child] = []

    def run(self, *, faults: bool, stay: bool, json_file: Path | None) -> None:
        self._choose_ports()
        flights, reference = self._prepare()
        # Once more: while the model was trained, a port may have been taken.
        self._choose_ports()
        rows = between(pq.read_table(flights), REPLAY[0], self.until)
        try:
            watch = self._start(flights, reference)
            observer = Observer(
                self.screen, watch, self.children, story(REPLAY[0]) if faults else (), REPLAY[0], self.clock
            )
            begun = self.clock.monotonic()
            played = self._replay(rows, observer)
            self._catch_up(rows, observer)
            seconds = self.clock.monotonic() - begun
            report = DemoReport.of(rows, pq.read_table(reference), played, observer)
            self.screen.summary(report.verdicts, report.alerts, watch.messages, faults=faults)
            self.screen.say(
                f"{len(played.predicted):,} predictions in {played.wire.requests:,} requests and {played.labels:,} "
                f"labels in {seconds:.0f} s. Config, logs and database: {self.folder}"
            )
            if json_file is not None:
                json_file.write_text(json.dumps(report.plain(played, seconds, self.page), indent=1))
            if stay:
                self._stay(observer)
        finally:
            self.screen.end()
            for child in reversed(self.children):
                child.stop()

    def _choose_ports(self) -> None:
        page = free_port(self.port or PAGE_PORT)
        if self.port and page != self.port:
            raise DemoError(f"port {self.port} is taken; name another with --port, or none")
        self.page, self.server = f"http://127.0.0.1:{page}", f"http://127.0.0.1:{free_port()}"

    def _prepare(self) -> tuple[Path, Path]:
        self.screen.waiting("Preparing the flights of 2013 …")
        begun = self.clock.monotonic()
        flights = prepare(self.folder)
        reference = reference_path(self.folder)
        if not reference.exists():
            self.screen.waiting("Training the model on January to March, and five more for an honest reference …")
            command = [sys.executable, "-P", "-m", "monitor.demo.train"]
            command += ["--flights", str(flights), "--reference", str(reference)]
            run("training", command, self.folder / "train.log")
        self.screen.waiting(f"Flights and reference are ready ({self.clock.monotonic() - begun:.1f} s).")
        return flights, reference

    def _start(self, flights: Path, reference: Path) -> Watch:
        for old in self.folder.glob("watchkeeper.db*"):
            old.unlink()
        config = write_config(
            self.folder, reference=reference, server=self.server, port=int(self.page.rpartition(":")[2])
        )
        server = [sys.executable, "-P", "-m", "monitor.demo.server", "--flights", str(flights), "--model", MODEL]
        server += ["--watchkeeper", self.page, "--port", self.server.rpartition(":")[2]]
        self.children.append(Child("the model server", server, self.folder / "server.log"))
        command = [str(Path(sys.executable).with_name("watchkeeper")), "run", "--config", str(config)]
        log = self.folder / "watchkeeper.log"
        self.children.append(Child("watchkeeper", command, log))
        watch = Watch(self.page, log)
        self.screen.waiting("Starting the model server and Watchkeeper …")
        wait_until(watch.ready, "Watchkeeper's start", self.children, self.clock)
        wait_until(self._serves, "the model server's start", self.children, self.clock)
        self.screen.waiting("Watchkeeper builds the reference profile …")
        wait_until(lambda: watch.reference_rows(MODEL) > 0, "the reference", self.children, self.clock, 120.0)
        self.screen.say(
            f"[bold]Watchkeeper[/]    {self.page}   (metrics: {self.page}/metrics, API: {self.page}/schema)"
        )
        self.screen.say(f"[bold]model server[/]   {self.server}   (metrics: {self.server}/metrics)")
        return watch

    def _serves(self) -> bool:
        try:
            return httpx.get(f"{self.server}/healthz", timeout=5.0).status_code == 200
        except httpx.HTTPError:
            return False

    def _replay(self, rows: pa.Table, observer: Observer) -> Replayed:
        wire = Wire(self.server, self.page, MODEL)
        played = Replayed(wire, self.clock)
        self.screen.begin((self.until - REPLAY[0]) / DAY)
        try:
            replay(rows, observer.faults, played, Pace(self.speed, self.clock), observer)
        finally:
            wire.close()
        return played

    def _catch_up(self, rows: pa.Table, observer: Observer) -> None:
        """Waits until Watchkeeper has judged every window that has closed, and said what it had to say."""
        self.screen.end()
        newest = max(rows["time"].to_pylist())
        last = (newest - LATENESS_SECONDS) // WINDOW_SECONDS * WINDOW_SECONDS

        def done() -> bool:
            observer.look()
            return observer.watch.judged_until(MODEL) >= last and not observer.watch.owes()

        self.screen.waiting("Waiting until Watchkeeper has judged the last window …")
        wait_until(done, "the verdict on the last window", self.children, self.clock, CATCH_UP_SECONDS)
        time.sleep(LOOK_SECONDS)
        observer.look()

    def _stay(self, observer: Observer) -> None:
        self.screen.say(
            f"The replay is over; the page stays at {self.page} until Ctrl-C. Nothing is served any more, so an "
            "alert on missing traffic will follow, rightly."
        )
        while True:
            time.sleep(1.0)
            observer.look()


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with its children."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
