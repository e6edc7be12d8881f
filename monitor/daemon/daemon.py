"""The daemon: constructs every part, wires them, runs until told to stop. The only place that constructs.

Started as `python -m monitor.daemon --config FILE` by `watchkeeper run`, which meanwhile checks the configuration,
upgrades the database, and hands the configuration over (`monitor.config.handover`). Nothing imported from here may
load numpy, pyarrow, pandas, pydantic or the command line.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import uuid
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import DBAPIError

from alerts.delivery.outbox import Delivery, DeliveryOutcome
from alerts.redact import hide, secrets
from checks.one_line import escaped, escaped_lines
from monitor.alerting.delivery_threads import DeliveryThreads
from monitor.alerting.engine import AlertEngine
from monitor.alerting.outage import CALM, Outage
from monitor.alerting.receivers import alertmanager_members, receivers, routing, slack_actions
from monitor.clock import Clock, SystemClock
from monitor.config import handover
from monitor.config.check_matchers import matcher_warnings, reach
from monitor.config.errors import ConfigError
from monitor.config.reload import Reloader
from monitor.config.rules_in_force import all_rules
from monitor.daemon.jobs import Jobs
from monitor.daemon.memory import settle
from monitor.daemon.schedule import Schedule
from monitor.log_lines import log_to_stderr
from monitor.pipeline.parts import Parts
from monitor.settings.receiver_names import SLACK_OFF
from monitor.settings.root import Config
from monitor.store.alerts import watcher_mark
from monitor.store.alerts.queries import AlertStore
from monitor.store.alerts.slack_actions import SlackActionStore
from monitor.store.engine import StoreError, explain, open_engine
from monitor.store.events import EventStore
from monitor.store.guard import Guard
from monitor.store.lock import hold
from monitor.store.references.expected_rows import ExpectedRows
from monitor.store.results import measurements
from monitor.store.writer import Writer
from monitor.telemetry.data_warnings import DataWarnings
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import LatestCollector, Meters
from monitor.web.app import create_app
from monitor.web.connections import ConnectionBounds
from monitor.web.context import WebContext
from monitor.web.server import PortTaken, Server
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import Worker

log = logging.getLogger("watchkeeper")

DEFAULT_PATH = Path("watchkeeper.yaml")
BACKGROUND_IDLE = 2.0
"""Seconds after which the process for long tasks ends."""
READ_SECONDS = 60.0
"""How long reading a config may take, with the start of the process that reads it."""


class Daemon:
    """Every part of a running Watchkeeper, built from one Config."""

    def __init__(self, config: Config, clock: Clock, path: Path = DEFAULT_PATH) -> None:
        """`path` is the config's file, for a reload."""
        self.config, self.clock = config, clock
        self.lock = hold(config.database)
        self.guard = Guard(self.lock)
        self.engine = open_engine(config.database, create=False)
        self.guard.watch(self.engine)
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
        self.writer = Writer(
            self.engine, max_bytes=config.limits.queue_bytes, on_lost=self.outage.failed, check=self.guard.check
        )
        self.events = EventStore(self.writer, self.engine, clock)
        self.alerts = AlertStore(self.engine, self.writer)
        self.worker = Worker(config.worker, clock, on_damage=self.guard.damaged)
        self.registry.register(LatestCollector(self.latest, self.alerts))
        # Apart from the other checks' process: a report or a reference may take minutes. It holds hundreds of MB, and
        # ends soon.
        soon = min(config.worker.idle, BACKGROUND_IDLE)
        self.background = Worker(config.worker.model_copy(update={"idle": soon}), clock, on_damage=self.guard.damaged)
        delivery = Delivery(
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
        members = alertmanager_members(
            config, all_rules(config), self.engine, self.alerts.silences, clock, self._on_outcome
        )
        self.members = [member for member, _ in members]
        self.sources = [source for _, source in members]
        self.delivery = DeliveryThreads(
            self.receivers, self.members, delivery, self.outage, clock, self.health, self.meters
        )
        self.schedule = Schedule(
            clock, self.health, self.meters, threads=4 + 2 * len(config.models), on_database=self.outage.refused
        )
        alert_engine, latest, meters, health = self.alert_engine, self.latest, self.meters, self.health
        self.data_warnings = DataWarnings(clock.monotonic)
        self.expected = ExpectedRows(
            self.engine, {model.model: ModelOptions.of(model).schema for model in config.models}
        )
        parts = Parts(
            clock,
            config.database,
            self.engine,
            self.writer,
            self.worker,
            alert_engine,
            latest,
            meters,
            health,
            self.data_warnings,
            self.background,
        )
        self.jobs = Jobs(config, parts, self.schedule, self.events, self.outage, self.delivery, self.expected)
        self.slack_actions = slack_actions(
            config,
            self.receivers,
            SlackActionStore(self.engine, self.writer),
            clock,
            self._on_buttons,
            lambda button, outcome: self.meters.slack_presses.labels(button=button, outcome=outcome).inc(),
            shared=self.lock is None,
        )
        # Apart from the checks' process, which may be busy: whoever asks for a reload waits for it.
        self.reading = Worker(config.worker.model_copy(update={"idle": 0.0}), clock)
        self.reloader = Reloader(self._read_again, path, config, self.use, clock, self.health, self.meters)

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT; returns the exit status."""
        bounds = ConnectionBounds(connections=self.config.limits.connections)
        refused = self.meters.requests_refused
        count = lambda reason: refused.labels(reason=reason.value).inc()  # noqa: E731
        server = Server(self.config.listen, create_app(self._services()), bounds, count)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGHUP, lambda *_: self.reload_soon())
        self.writer.start()
        self.latest_from_history()
        models = {model.model for model in self.config.models}
        self.writer.call(lambda connection: self.alert_engine.reconcile(connection, self.clock.time(), models))
        notified = self.alert_engine.incidents.notified
        self.writer.call(lambda connection: watcher_mark.start(connection, self.clock.time(), notified))
        self.jobs.schedule_all()
        self.schedule.start()
        self.delivery.start()
        if self.slack_actions is not None:
            self.meters.slack_connected.labels(receiver="slack").set(0)
            self.slack_actions.socket.start()
        self.health.ingest(None)
        settle()
        names = ", ".join(model.model for model in self.config.models)
        told = ", ".join([*self.receivers, *(member.receiver for member in self.members)])
        log.info("watching %s; page http://%s; alerts go to %s", names, self.config.listen, told or "nobody")
        if self.config.slack is not None and "slack" not in self.receivers:
            log.info(SLACK_OFF)
        self._warn_of_matchers()
        try:
            server.run()
        finally:
            self.stop()
        return 0

    def _warn_of_matchers(self) -> None:
        """Log which matchers can hit nothing, and which silences an earlier release accepted and this one would not."""
        for warning in matcher_warnings(self.config, reach(self.config, self.alert_engine.rules, None)):
            log.warning("%s", warning)
        for silence in self.alerts.list_silences(self.clock.time()):
            if silence.problem:
                log.warning("silence %s: %s", silence.id, silence.problem)

    def stop(self) -> None:
        """Ends every part in the order of the data's line, each within a bound; what is owed stays in the outbox."""
        log.info("stopping")
        self.health.ingest("stopping")
        self.schedule.stop()
        self.reading.stop()
        self.background.stop()
        self.worker.stop()
        if self.slack_actions is not None:
            self.slack_actions.socket.stop()
        self._mark_unwatched()
        self.delivery.drain()
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
            notified = self.alert_engine.incidents.notified
            self.writer.call(lambda connection: watcher_mark.stop(connection, self.clock.time(), notified))
        except Exception:  # a stop goes on whatever the database says
            log.exception("open incidents could not be marked as unwatched")

    def _read_again(self, path: Path) -> Config:
        """Return the config that the file has now. Raises ConfigError, or WorkerError where nothing can be read."""
        found = self.reading.run(handover.read, str(path), timeout=READ_SECONDS)
        if isinstance(found, ConfigError):
            raise found
        config = handover.unpack(found)
        hide(secrets(config))
        return config

    def use(self, config: Config) -> int:
        """Puts the config's rules in force, and ends alerts that they do not cover; returns how many they are."""
        rules, models = all_rules(config), {model.model for model in self.config.models}
        self.writer.call(lambda connection: self.alert_engine.reload(connection, rules, self.clock.time(), models))
        for source in self.sources:
            source.use(rules)
        # Who asks for a reload may have put another secret into its file, or mended a receiver.
        self.delivery.hasten()
        if self.slack_actions is not None:
            self.slack_actions.hasten()
        return len(rules)

    def reload_soon(self) -> None:
        """Reloads on a thread of its own, for a signal may come at any moment; what goes wrong is logged there."""

        def reload() -> None:
            with contextlib.suppress(Exception):
                self.reloader.reload()

        threading.Thread(target=reload, name="reload", daemon=True).start()

    def latest_from_history(self) -> None:
        """Shows the newest windows' measurements again after a restart, and learns what rows are to hold."""
        for settings in self.config.models:
            self.expected.refresh(settings.model)
        for model, measurement in measurements.latest(self.engine):
            self.latest.put(model, [measurement])

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
            data_warnings=self.data_warnings,
            expected=self.expected.of,
            buttons=self._buttons_shown,
        )

    def _buttons_shown(self) -> dict[str, str | None] | None:
        if "slack" not in self.receivers:
            return None
        if self.slack_actions is None:
            return {"state": "links", "problem": None}
        return {"state": self.slack_actions.state, "problem": self.slack_actions.problem}

    def _on_outcome(self, receiver: str, outcome: DeliveryOutcome, problem: str | None) -> None:
        self.meters.notifications.labels(receiver=receiver, outcome=outcome.value).inc()
        self.health.report(f"receiver {receiver}", problem)

    def _on_buttons(self, heard: bool, problem: str | None) -> None:
        self.meters.slack_connected.labels(receiver="slack").set(heard)
        self.health.report("slack buttons", problem)


def main(file: Path) -> int:
    """Runs the daemon with a config file; exit status 2 with one sentence when it can't start."""
    log_to_stderr(logging.INFO)
    # A line a job and a line a missed run is too much; the metrics say it better.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    try:
        config = handover.take(file)
        hide(secrets(config, os.environ))
        return Daemon(config, SystemClock(), file).run()
    except (ConfigError, StoreError, PortTaken) as error:
        print(f"watchkeeper: {escaped_lines(str(error))}", file=sys.stderr)
    except DBAPIError as error:
        print(f"watchkeeper: {escaped(explain(error, config.database))}", file=sys.stderr)
    return 2
