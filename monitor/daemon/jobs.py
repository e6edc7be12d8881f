"""What runs at an interval; nothing else in the daemon does.

- every `evaluate` (15 s), for each model: closed windows are judged, Evidently's due reports are made, the age of what
  arrives and the states of the checks are sampled; and for all of them: reminders are owed;
- every `collect.interval` (15 s): host, container and GPUs are sampled, and the model server's process;
- every `server.interval` (15 s): the model server's own metrics are scraped;
- at the pace of its probes: the model server is probed;
- every `heartbeat.interval`: the heartbeat is sent;
- every 2 s: pictures are sent to Slack; every minute: memory is returned; every hour: what is too old is deleted.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace

from alerts.delivery.pictures import PictureDelivery
from monitor.alerting.delivery_threads import DeliveryThreads
from monitor.alerting.forgotten import Forgotten
from monitor.alerting.heartbeat import Heartbeat
from monitor.alerting.outage import Outage
from monitor.alerting.receivers import slack_pictures
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
from monitor.collectors.stream_shares import StreamShares
from monitor.collectors.usable_rows import UsableRows
from monitor.daemon.memory import trim
from monitor.daemon.schedule import Schedule
from monitor.pipeline.event_time import EventTimePipeline
from monitor.pipeline.evidently_reports import EvidentlyReports
from monitor.pipeline.parts import Parts
from monitor.pipeline.wall_clock import Sampler
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config
from monitor.settings.server import ServerSettings
from monitor.store.alerts.picture_deliveries import PictureDeliveries
from monitor.store.events import EventStore
from monitor.store.references.expected_rows import ExpectedRows
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import Worker
from monitor.worker.upkeep import retention

log = logging.getLogger("watchkeeper")

PICTURE_SECONDS = 2.0
TRIM_SECONDS = 60.0
RETENTION_SECONDS = 3600.0
STALLED_SECONDS = 120.0
"""After so long without a pass, evaluation or delivery counts as standing still."""


@dataclass
class Jobs:
    """Builds and schedules every job of the config."""

    config: Config
    parts: Parts
    schedule: Schedule
    events: EventStore
    outage: Outage
    delivery: DeliveryThreads
    reporting: Worker
    """Makes Evidently's reports, apart from the other checks: one may take minutes."""
    expected: ExpectedRows
    _gpus: GpuCollector | None = field(init=False)
    _reminded: float = field(init=False)
    _forgotten: Forgotten = field(init=False)
    _judged: dict[str, float] = field(default_factory=dict, init=False)
    """When each model's windows were last looked at with success."""

    def __post_init__(self) -> None:
        self._gpus = GpuCollector() if self.config.collect.gpu else None
        self._reminded = self.parts.clock.monotonic()
        self._forgotten = Forgotten(self.parts.health, self.parts.meters)

    def schedule_all(self) -> None:
        for model in self.config.models:
            self._schedule_model(model)
        self._schedule_machine()
        self.schedule.every(self.config.evaluate, "reminders", self.remind)
        self._schedule_pictures()
        self._schedule_heartbeat()
        self.schedule.every(TRIM_SECONDS, "trim", trim)
        self.schedule.every(RETENTION_SECONDS, "retention", self._expire, jitter=300.0)

    def remind(self) -> None:
        """Owe reminders of what still fires, and end the acknowledgements and silences that have run out."""
        parts = self.parts
        incidents, now = parts.alert_engine.incidents, parts.clock.time()
        self._forgotten.note(parts.writer.call(lambda connection: incidents.remind(connection, now)))
        self._reminded = parts.clock.monotonic()

    def stalled(self) -> str | None:
        """Return in a sentence what stands still, evaluation or delivery; None while both go on."""
        now, patience = self.parts.clock.monotonic(), max(STALLED_SECONDS, 4 * self.config.evaluate)
        if now - self._reminded > patience:
            return "nothing has been judged for a while"
        behind = [name for name, at in self._judged.items() if now - at > patience + self.config.worker.timeout]
        if behind:
            return f"the windows of {behind[0]} have not been judged for a while"
        return self.delivery.stalled(patience)

    def _schedule_model(self, settings: ModelSettings) -> None:
        model, every, checks = settings.model, self.config.evaluate, CheckStates()
        shares = StreamShares(model, self.parts.meters)
        self._schedule_windows(settings, checks, shares)
        self._schedule_reports(settings, checks)
        self._schedule_sampler(model, ArrivalAges(model, self.events, self.parts.health), every)
        self._schedule_sampler(model, MachineCollector([checks, shares], checks.name), every)
        usable = UsableRows(model, self.parts.data_warnings, self.parts.health, self.expected.refresh)
        self._schedule_sampler(model, usable, every)
        if settings.server is not None:
            self._schedule_server(settings.server, model)
        if settings.probes:
            probes = ProbeCollector(settings, self.config.collect, self.parts.clock)
            self._schedule_sampler(model, probes, probes.tick)

    def _schedule_windows(self, settings: ModelSettings, checks: CheckStates, shares: StreamShares) -> None:
        model, every, clock = settings.model, self.config.evaluate, self.parts.clock
        pipeline = EventTimePipeline(ModelOptions.of(settings), checks, self.parts, shares)
        self._judged[model] = clock.monotonic()

        def tick() -> None:
            pipeline.tick()
            self._judged[model] = clock.monotonic()

        self.schedule.every(every, f"tick {model}", tick, jitter=every / 10)

    def _schedule_reports(self, settings: ModelSettings, checks: CheckStates) -> None:
        if not settings.checks.evidently or settings.reference_file is None:
            return
        reports = EvidentlyReports(
            options=ModelOptions.of(settings),
            checks=settings.checks.evidently,
            reference=settings.reference_file,
            states=checks,
            parts=replace(self.parts, worker=self.reporting),
        )
        every = self.config.evaluate
        self.schedule.every(every, f"reports {settings.model}", reports.tick, jitter=every / 10)

    def _schedule_server(self, server: ServerSettings, model: str) -> None:
        collect = self.config.collect
        self._schedule_sampler(model, ServerCollector(server, model), server.interval)
        process = process_collector(server, model, collect, os.getpid())
        if process is None:
            return
        self._schedule_sampler(model, process, collect.interval)
        if self._gpus is not None:
            self._schedule_sampler(model, GpuProcessCollector(self._gpus, process.pids, model), collect.interval)

    def _schedule_machine(self) -> None:
        collect = self.config.collect
        collectors: list[Collector] = []
        if collect.host:
            collectors.append(HostCollector(collect))
        if collect.container:
            collectors.append(ContainerCollector(collect.cgroup))
        if collectors:
            self._schedule_sampler("", MachineCollector(collectors), collect.interval)
        if self._gpus is not None:
            self._schedule_sampler("", self._gpus, collect.interval)

    def _schedule_sampler(self, model: str, collector: Collector, every: float) -> None:
        sampler = Sampler(model, collector, every, self.parts, self.outage)
        self.schedule.every(every, f"{collector.name} {model}".strip(), sampler.sample)

    def _schedule_pictures(self) -> None:
        if (sender := slack_pictures(self.config)) is not None:
            store = PictureDeliveries(self.parts.engine, self.parts.writer)
            pictures = PictureDelivery(store, sender, "slack", self.parts.clock)
            self.schedule.every(PICTURE_SECONDS, "pictures slack", pictures.run)

    def _schedule_heartbeat(self) -> None:
        if (settings := self.config.heartbeat) is None:
            return
        heartbeat, health = Heartbeat(settings, self.parts.clock, self.stalled), self.parts.health
        self.schedule.every(settings.interval, "heartbeat", lambda: health.report("heartbeat", heartbeat.beat()))

    def _expire(self) -> None:
        kept = self.config.retention
        models = [ModelOptions.of(model) for model in self.config.models]
        ages = retention.RetentionAges(kept.events, kept.hours, kept.history)
        now = self.parts.clock.time()
        gone = self.parts.worker.run(retention.expire, self.config.database, models, now, ages)
        if gone:
            log.info("retention removed %s", ", ".join(f"{count} {table}" for table, count in sorted(gone.items())))
