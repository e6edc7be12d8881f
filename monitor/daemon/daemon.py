"""The daemon: constructs every part, wires them, runs until told to stop. The only place that constructs.

Started as `python -m monitor.daemon --config FILE` by `watchkeeper run`, which has checked the configuration and
upgraded the database by then, and hands the configuration over (`monitor.config.handover`). Nothing imported from here
may load numpy, pyarrow, pandas, pydantic or the command line.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import math
import os
import signal
import sys
import threading
import uuid
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import DBAPIError

from alerts.delivery.outbox import Delivery, DeliveryOutcome
from alerts.delivery.pictures import PictureDelivery
from monitor.alerting.alertmanager.active_alerts import ActiveAlerts
from monitor.alerting.alertmanager.push import Member
from monitor.alerting.engine import AlertEngine
from monitor.alerting.heartbeat import Heartbeat
from monitor.alerting.outage import CALM, Outage
from monitor.alerting.receivers import receivers, routing, slack_actions, slack_pictures
from monitor.clock import Clock, SystemClock
from monitor.collectors import Collector
from monitor.collectors.arrivals import ArrivalAges
from monitor.collectors.check_states import CheckStates
from monitor.collectors.container.collector import ContainerCollector
from monitor.collectors.gpu.collector import GpuCollector
from monitor.collectors.gpu.process_memory import GpuProcessCollector
from monitor.collectors.host import HostCollector
from monitor.collectors.machine import MachineCollector
from monitor.collectors.probe.collector import ProbeCollector
from monitor.collectors.process.collector import process_collector
from monitor.collectors.server.collector import ServerCollector
from monitor.config import handover
from monitor.config.errors import ConfigError
from monitor.config.reload import Reloader
from monitor.config.rules_in_force import all_rules
from monitor.daemon.schedule import Schedule
from monitor.pipeline.event_time import EventTimePipeline
from monitor.pipeline.evidently_reports import EvidentlyReports
from monitor.pipeline.wall_clock import Sampler
from monitor.settings.model import ModelSettings
from monitor.settings.receiver_names import SLACK_OFF
from monitor.settings.root import Config
from monitor.store.alerts import watcher_mark
from monitor.store.alerts.picture_deliveries import PictureDeliveries
from monitor.store.alerts.queries import AlertStore
from monitor.store.alerts.slack_actions import SlackActionStore
from monitor.store.engine import StoreError, explain, open_engine
from monitor.store.events import EventStore
from monitor.store.lock import hold
from monitor.store.results import measurements
from monitor.store.writer import Writer
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import LatestCollector, Meters
from monitor.web.app import create_app
from monitor.web.context import WebContext
from monitor.web.server import PortTaken, Server
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import Worker
from monitor.worker.upkeep import retention

log = logging.getLogger("watchkeeper")

DEFAULT_PATH = Path("watchkeeper.yaml")
READ_SECONDS = 60.0
"""How long reading a config may take, with the start of the process that reads it."""
DELIVER_SECONDS = 0.5
TRIM_SECONDS = 60.0
STALLED_SECONDS = 120.0
"""After so long without a pass, evaluation or delivery counts as standing still."""
PICTURE_SECONDS = 2.0
DRAIN_LOOK_SECONDS = 0.1
DRAIN_SECONDS = 5.0
"""How long a stopping daemon waits for the receivers; what is still owed is sent after the next start."""


class Daemon:
    """Every part of a running Watchkeeper, built from one Config."""

    def __init__(self, config: Config, clock: Clock, path: Path = DEFAULT_PATH) -> None:
        """`path` is the config's file, for a reload."""
        self.config, self.clock = config, clock
        self.lock = hold(config.database)
        self.engine = open_engine(config.database)
        self.registry = CollectorRegistry()
        self.meters = Meters(self.registry)
        self.latest = Latest()
        self.health = Health()
        self.receivers = receivers(config, clock)
        self.routing = routing(config)
        self.alert_engine = AlertEngine(
            all_rules(config),
            list(self.receivers),
            clock,
            interval=config.evaluate,
            newest=self.latest.newest,
            routing=self.routing,
        )
        self.outage = Outage(
            self.engine,
            self.alert_engine,
            self.routing,
            self.receivers,
            clock,
            self.health,
            url=config.database,
            calm=max(CALM, 4 * config.evaluate),
        )
        self.writer = Writer(self.engine, max_bytes=config.limits.queue_bytes, on_lost=self.outage.failed)
        self.events = EventStore(self.writer, self.engine, clock)
        self.alerts = AlertStore(self.engine, self.writer)
        self.worker = Worker(config.worker, clock)
        self.registry.register(LatestCollector(self.latest, self.alerts))
        # Apart from the other checks' process: a report may take minutes.
        self.reporting = Worker(config.worker, clock)
        self.gpus = GpuCollector() if config.collect.gpu else None
        self.delivery = Delivery(
            self.alerts,
            self.receivers,
            clock,
            self._on_outcome,
            routing=self.routing,
            inhibitions=config.inhibitions,
            fallbacks={item.name: item.fallback for item in config.receivers if item.fallback},
            # Who holds the database alone goes on with what it sent before a crash at once.
            owner="" if self.lock is not None else str(uuid.uuid4()),
        )
        self._passed = dict.fromkeys(self.receivers, clock.monotonic())
        """When each receiver's line was last looked at."""
        self.schedule = Schedule(clock, self.health, self.meters, threads=4 + 2 * len(config.models))
        self._reminded = clock.monotonic()
        self._ticked: dict[str, float] = {}
        """When each model's windows were last looked at with success."""
        self._stopping = threading.Event()
        self._deliverers = [
            threading.Thread(target=self._deliver, args=[name], name=f"deliver-{name}", daemon=True)
            for name in self.receivers
        ]
        self.slack_actions = slack_actions(
            config,
            self.receivers,
            SlackActionStore(self.engine, self.writer),
            clock,
            self._on_buttons,
            lambda button, outcome: self.meters.slack_presses.labels(button=button, outcome=outcome).inc(),
            shared=self.lock is None,
        )
        self._drained, self._deadline = threading.Event(), math.inf
        self.sources: list[ActiveAlerts] = []
        self.members = self._members()
        # Apart from the checks' process, which may be busy: whoever asks for a reload waits for it.
        self.reading = Worker(config.worker.model_copy(update={"idle": 0.0}), clock)
        self.reloader = Reloader(self._read_again, path, config, self.use, clock, self.health, self.meters)
        self._deliverers += [
            threading.Thread(target=self._push, args=[member], name=member.receiver, daemon=True)
            for member in self.members
        ]

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT; returns the exit status."""
        server = Server(self.config.listen, create_app(self._services()))
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGHUP, lambda *_: self.reload_soon())
        self.writer.start()
        self.latest_from_history()
        models = {model.model for model in self.config.models}
        self.writer.call(lambda connection: self.alert_engine.reconcile(connection, self.clock.time(), models))
        self.writer.call(
            lambda connection: watcher_mark.start(connection, self.clock.time(), self.alert_engine.notified)
        )
        for model in self.config.models:
            self._schedule_model(model)
        self._schedule_machine()
        self.schedule.every(self.config.evaluate, "reminders", self.remind)
        if (slack := self.receivers.get("slack")) is not None and (pictures := slack_pictures(self.config)) is not None:
            sends = PictureDelivery(PictureDeliveries(self.engine, self.writer), pictures, slack.name, self.clock)
            self.schedule.every(PICTURE_SECONDS, "pictures slack", sends.run)
        if self.config.heartbeat is not None:
            beat = Heartbeat(self.config.heartbeat, self.clock, self.stalled)
            self.schedule.every(
                self.config.heartbeat.interval, "heartbeat", lambda: self.health.report("heartbeat", beat.beat())
            )
        self.schedule.every(TRIM_SECONDS, "trim", _give_back)
        self.schedule.every(3600.0, "retention", self._expire, jitter=300.0)
        self.schedule.start()
        for thread in self._deliverers:
            thread.start()
        if self.slack_actions is not None:
            self.meters.slack_connected.labels(receiver="slack").set(0)
            self.slack_actions.socket.start()
        self.health.ingest(None)
        _settle()
        names = ", ".join(model.model for model in self.config.models)
        told = ", ".join([*self.receivers, *(member.receiver for member in self.members)])
        log.info("watching %s; page http://%s; alerts go to %s", names, self.config.listen, told or "nobody")
        if self.config.slack is not None and "slack" not in self.receivers:
            log.info(SLACK_OFF)
        try:
            server.run()
        finally:
            self.stop()
        return 0

    def stop(self) -> None:
        """Ends every part in the order of the data's line, each within a bound; what is owed stays in the outbox."""
        log.info("stopping")
        self.health.ingest("stopping")
        self.schedule.stop()
        self.reading.stop()
        self.reporting.stop()
        self.worker.stop()
        if self.slack_actions is not None:
            self.slack_actions.socket.stop()
        self._mark_unwatched()
        self._drain()
        self.writer.stop()
        self.engine.dispose()
        if self.lock is not None:
            self.lock.close()
        log.info("stopped")

    def _mark_unwatched(self) -> None:
        """Not where others may watch the same incidents."""
        if self.lock is None:
            return
        try:
            self.writer.call(
                lambda connection: watcher_mark.stop(connection, self.clock.time(), self.alert_engine.notified)
            )
        except Exception:  # a stop goes on whatever the database says
            log.exception("open incidents could not be marked as unwatched")

    def _drain(self) -> None:
        """Lets the receivers' lines run dry, within a bound."""
        self._deadline = self.clock.monotonic() + DRAIN_SECONDS
        self._stopping.set()
        for thread in self._deliverers:
            thread.join(timeout=max(0.0, self._deadline - self.clock.monotonic()))
        self._drained.set()

    def _read_again(self, path: Path) -> Config:
        """Return the config that the file has now. Raises ConfigError, or WorkerError where nothing can be read."""
        found = self.reading.run(handover.read, str(path), timeout=READ_SECONDS)
        if isinstance(found, ConfigError):
            raise found
        return handover.unpack(found)

    def use(self, config: Config) -> int:
        """Puts the config's rules in force, and ends alerts that they do not cover; returns how many they are."""
        rules, models = all_rules(config), {model.model for model in self.config.models}
        self.writer.call(lambda connection: self.alert_engine.reload(connection, rules, self.clock.time(), models))
        for source in self.sources:
            source.use(rules)
        return len(rules)

    def reload_soon(self) -> None:
        """Reloads on a thread of its own, for a signal may come at any moment; what goes wrong is logged there."""

        def reload() -> None:
            with contextlib.suppress(Exception):
                self.reloader.reload()

        threading.Thread(target=reload, name="reload", daemon=True).start()

    def latest_from_history(self) -> None:
        """Shows the newest windows' measurements again after a restart."""
        for model, measurement in measurements.latest(self.engine):
            self.latest.put(model, [measurement])

    def _schedule_machine(self) -> None:
        collect = self.config.collect
        parts: list[Collector] = []
        if collect.host:
            parts.append(HostCollector(collect))
        if collect.container:
            parts.append(ContainerCollector(collect.cgroup))
        if parts:
            self._schedule_sampler("", MachineCollector(parts), collect.interval)
        if self.gpus is not None:
            self._schedule_sampler("", self.gpus, collect.interval)

    def _schedule_model(self, settings: ModelSettings) -> None:
        model, every = settings.model, self.config.evaluate
        checks = CheckStates()
        ticker = EventTimePipeline(
            model=model,
            options=ModelOptions.of(settings),
            url=self.config.database,
            engine=self.engine,
            writer=self.writer,
            worker=self.worker,
            alert_engine=self.alert_engine,
            latest=self.latest,
            meters=self.meters,
            checks=checks,
            health=self.health,
            clock=self.clock,
        )
        self._ticked[model] = self.clock.monotonic()

        def tick() -> None:
            ticker.tick()
            self._ticked[model] = self.clock.monotonic()

        self.schedule.every(every, f"tick {model}", tick, jitter=every / 10)
        if settings.checks.evidently and settings.reference_file is not None:
            reporter = EvidentlyReports(
                options=ModelOptions.of(settings),
                checks=settings.checks.evidently,
                reference=settings.reference_file,
                url=self.config.database,
                engine=self.engine,
                writer=self.writer,
                worker=self.reporting,
                alert_engine=self.alert_engine,
                latest=self.latest,
                meters=self.meters,
                states=checks,
                health=self.health,
                clock=self.clock,
            )
            self.schedule.every(every, f"reports {model}", reporter.tick, jitter=every / 10)
        self._schedule_sampler(model, ArrivalAges(model, self.events, self.health), every)
        self._schedule_sampler(model, checks, every)
        if settings.server is not None:
            self._schedule_sampler(model, ServerCollector(settings.server, model), settings.server.interval)
            process = process_collector(settings.server, model, self.config.collect, os.getpid())
            if process is not None:
                self._schedule_sampler(model, process, self.config.collect.interval)
                if self.gpus is not None:
                    held = GpuProcessCollector(self.gpus, process.pids, model)
                    self._schedule_sampler(model, held, self.config.collect.interval)
        if settings.probes:
            probes = ProbeCollector(settings, self.config.collect, self.clock)
            self._schedule_sampler(model, probes, probes.tick)

    def _schedule_sampler(self, model: str, collector: Collector, every: float) -> None:
        sampler = Sampler(
            model, collector, every, self.writer, self.alert_engine, self.latest, self.meters, self.clock, self.outage
        )
        self.schedule.every(every, f"{collector.name} {model}".strip(), sampler.sample)

    def _services(self) -> WebContext:
        return WebContext(
            config=self.config,
            clock=self.clock,
            engine=self.engine,
            events=self.events,
            alerts=self.alerts,
            latest=self.latest,
            health=self.health,
            meters=self.meters,
            registry=self.registry,
            rules=lambda: self.alert_engine.rules,
            reload=self.reloader.reload,
            buttons=self._buttons_shown,
        )

    def _buttons_shown(self) -> dict[str, str | None] | None:
        if "slack" not in self.receivers:
            return None
        if self.slack_actions is None:
            return {"state": "links", "problem": None}
        return {"state": self.slack_actions.state, "problem": self.slack_actions.problem}

    def _deliver(self, receiver: str) -> None:
        """One receiver's line, on a thread of its own: a hanging one holds up nobody. At the end it runs dry, as far as
        there is time."""
        while not self._stopping.wait(DELIVER_SECONDS):
            self.delivery.deliver(receiver, self.clock.time())
            self.outage.tell(receiver)
            self._passed[receiver] = self.clock.monotonic()
        while not self._drained.is_set():
            self.delivery.deliver(receiver, self.clock.time())
            left = self._deadline - self.clock.monotonic()
            if left <= 0 or self.delivery.drained(receiver, self.clock.time(), left):
                break
            self._drained.wait(DRAIN_LOOK_SECONDS)

    def remind(self) -> None:
        self.writer.call(lambda connection: self.alert_engine.remind(connection, self.clock.time()))
        self._reminded = self.clock.monotonic()

    def stalled(self) -> str | None:
        """Whether judging or delivering stands still, in a sentence."""
        now, patience = self.clock.monotonic(), max(STALLED_SECONDS, 4 * self.config.evaluate)
        if now - self._reminded > patience:
            return "nothing has been judged for a while"
        behind = [name for name, at in self._ticked.items() if now - at > patience + self.config.worker.timeout]
        if behind:
            return f"the windows of {behind[0]} have not been judged for a while"
        late = [name for name, at in self._passed.items() if now - at > patience]
        return f"delivery to {late[0]} hangs" if late else None

    def _members(self) -> list[Member]:
        """Each Alertmanager that is told."""
        config = self.config
        if config.alertmanager is None:
            return []
        self.sources = [
            ActiveAlerts(self.engine, all_rules(config), self.alerts.silences) for _ in config.alertmanager.members
        ]
        return [
            Member(
                address,
                config.alertmanager,
                source,
                self.clock,
                self._on_outcome,
                evaluate=config.evaluate,
                url=config.public_url or f"http://{config.listen}/",
            )
            for address, source in zip(config.alertmanager.members, self.sources, strict=True)
        ]

    def _push(self, member: Member) -> None:
        """One Alertmanager's line, on a thread of its own: a hanging one holds up nobody. One last push at the end."""
        pushed = self.meters.alertmanager_last_success.labels(member=member.receiver.partition(":")[2])
        while not self._stopping.wait(DELIVER_SECONDS):
            if member.tick():
                pushed.set(self.clock.time())
                self.health.report(f"receiver {member.receiver}", member.problem)
        member.tick()

    def _on_outcome(self, receiver: str, outcome: DeliveryOutcome, problem: str | None) -> None:
        self.meters.notifications.labels(receiver=receiver, outcome=outcome.value).inc()
        self.health.report(f"receiver {receiver}", problem)

    def _on_buttons(self, heard: bool, problem: str | None) -> None:
        self.meters.slack_connected.labels(receiver="slack").set(heard)
        self.health.report("slack buttons", problem)

    def _expire(self) -> None:
        kept = self.config.retention
        models = [ModelOptions.of(model) for model in self.config.models]
        ages = retention.RetentionAges(kept.events, kept.hours, kept.history)
        gone = self.worker.run(retention.expire, self.config.database, models, self.clock.time(), ages)
        if gone:
            log.info("retention removed %s", ", ".join(f"{count} {table}" for table, count in sorted(gone.items())))


def _settle() -> None:
    """Gives back what start-up needed and nothing will need again: some 4 MB of a sidecar's 75."""
    gc.collect()
    gc.enable()
    # What is left lives as long as the daemon; the collector need not look at it again.
    gc.freeze()
    _give_back()


def _give_back() -> None:
    """Returns freed memory to the system: a burst of requests leaves some MB that malloc would keep."""
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def main(file: Path) -> int:
    """Runs the daemon with a config file; exit status 2 with one sentence when it can't start."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A line a job and a line a missed run is too much; the metrics say it better.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    try:
        config = handover.take(file)
        return Daemon(config, SystemClock(), file).run()
    except (ConfigError, StoreError, PortTaken) as error:
        print(f"watchkeeper: {error}", file=sys.stderr)
    except DBAPIError as error:
        print(f"watchkeeper: {explain(error, config.database)}", file=sys.stderr)
    return 2
