"""Checks of `type: evidently`: each due window is reported on in a worker of its own, so that no other check waits."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from alerts.incidents.incident import ReportLink
from checks.base import Measurement, Window
from monitor.clock import iso
from monitor.collectors.check_states import CheckStates
from monitor.pipeline.parts import Parts
from monitor.settings.checks import EvidentlySettings
from monitor.store import progress
from monitor.store.results import measurements, reports
from monitor.worker.evidently.messages import ReportOutcome, ReportTask
from monitor.worker.messages import ModelOptions
from monitor.worker.pool import WorkerError
from monitor.worker.tasks import make_report
from monitor.worker.turns import Urgency

log = logging.getLogger("watchkeeper.reporting")

METRIC = "evidently_value"


@dataclass
class EvidentlyReports:
    """Reports on one model. A window that a run failed on is not tried again: the next one is."""

    options: ModelOptions
    checks: Mapping[str, EvidentlySettings]
    reference: Path
    states: CheckStates
    parts: Parts
    """With a worker of its own."""
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    _resumed: bool = field(default=False, init=False)

    def tick(self) -> int:
        """Makes every report that is due, oldest first; returns how many runs there were."""
        if not self._resumed:
            self._resume()
        runs = 0
        for check in self.checks:
            for window in self._due(check):
                if self.parts.worker.stopping:
                    return runs
                runs += self._run(check, window)
        return runs

    def _resume(self) -> None:
        """Shows again what the newest run of each check came to."""
        model = self.options.model
        for check in self.checks:
            self.parts.meters.check_failures.labels(check=check)
            run = measurements.last_run(self.parts.engine, model, check)
            if run is None:
                continue
            error = str(run["error"])
            self.states.report(check, bool(error))
            self.parts.health.report(f"check {check} of {model}", error or None)
            if not error:
                rows = measurements.of_window(self.parts.engine, model, METRIC, run["window_end"])
                self._put(check, [row for row in rows if ("check", check) in row.labels])
        self._resumed = True

    def _due(self, check: str) -> Iterator[Window]:
        """Windows without a run, up to the last that was judged. A check that never ran begins with the newest one;
        where the stream had a break there are none."""
        settings, length = self.checks[check], self.options.every
        every = settings.every or settings.window or length
        with self.parts.engine.connect() as connection:
            ends = progress.unreported_ends(connection, self.options.model, check, newest=round(every / length))
        for end in ends:
            if abs(end / every - round(end / every)) < 1e-6:
                yield Window(end - (settings.window or length), end)

    def _run(self, check: str, window: Window) -> bool:
        started, settings = self.parts.clock.time(), self.checks[check]
        task = self._task(check, window)
        outcome, error = ReportOutcome([], 0.0, 0), ""
        try:
            outcome = self.parts.worker.run(
                make_report,
                self.parts.url,
                self.options.model,
                task,
                self.options,
                timeout=settings.timeout,
                urgency=Urgency.BACKGROUND,
            )
        except WorkerError as problem:
            if self.parts.worker.stopping:
                return False  # the daemon stops; it is due again after the next start
            error = f"{problem.kind}: {problem}"
            outcome = ReportOutcome([], self.parts.clock.time() - started, 0)
        self.parts.writer.call(lambda connection: self._record(connection, task, outcome, error, started))
        self._show(task, outcome, error)
        return True

    def _task(self, check: str, window: Window) -> ReportTask:
        settings = self.checks[check]
        with self.parts.engine.connect() as connection:
            seq = progress.last_close_seq(connection, self.options.model, window.end)
        return ReportTask(
            check=check,
            window=window,
            seq=seq,
            reference=str(self.reference),
            preset=settings.preset,
            metrics=tuple(settings.metrics),
            options=settings.options,
            sample=settings.sample,
            seed=settings.seed,
            html=settings.html,
            id=self.new_id(),
        )

    def _record(
        self, connection: Connection, task: ReportTask, outcome: ReportOutcome, error: str, started: float
    ) -> None:
        """All that a run leads to, in one transaction."""
        model, end = self.options.model, task.window.end
        measurements.write(connection, model, outcome.measurements)
        measurements.record_run(
            connection, model, task.check, window_end=end, started_at=started, seconds=outcome.seconds, error=error
        )
        failed, within = {METRIC: error} if error else {}, {"check": task.check}
        self.parts.alert_engine.step(
            connection, model, outcome.measurements, end, metrics={METRIC}, failed=failed, within=within
        )
        if outcome.report:
            link = ReportLink(outcome.report, task.check, task.window.start, end)
            linked = self.parts.alert_engine.incidents.attach_report(connection, model, link)
            reports.keep(connection, model, task.check, outcome.report, linked, self.checks[task.check].keep)

    def _show(self, task: ReportTask, outcome: ReportOutcome, error: str) -> None:
        check, model = task.check, self.options.model
        self.parts.meters.check_duration.labels(check=check).observe(outcome.seconds)
        self.states.report(check, bool(error))
        self.parts.health.report(f"check {check} of {model}", error or None)
        self._put(check, outcome.measurements)
        if error:
            self.parts.meters.check_failures.labels(check=check).inc()
            log.error("%s: no report %s on the window ending %s: %s", model, check, iso(task.window.end), error)
            return
        self.parts.meters.check_last_success.labels(check=check).set(self.parts.clock.time())
        said = outcome.skipped or f"{len(outcome.measurements)} numbers from {outcome.rows} rows"
        log.info("%s: report %s on the window ending %s: %s", model, check, iso(task.window.end), said)

    def _put(self, check: str, rows: list[Measurement]) -> None:
        """Shows these numbers of the check and no older ones: a run that gave none leaves no series."""
        self.parts.latest.replace(self.options.model, METRIC, ("check", check), rows)
