"""The event-time side of the daemon: follows each model's arrival log, has closed windows measured in the worker, and
records the verdict on each one in a single transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, insert, select, update

from checks.base import Window
from checks.catalog import CATALOG
from monitor.alerting.engine import AlertEngine
from monitor.clock import Clock, iso
from monitor.collectors.check_states import CheckStates
from monitor.pipeline.incident_pictures import PictureDrawing
from monitor.pipeline.profile_upkeep import Upkeep
from monitor.pipeline.watermark import Arrival, Position, advance
from monitor.store.references.activations import configure, judged, read_activations
from monitor.store.references.active import reference_status
from monitor.store.references.model_versions import note_versions
from monitor.store.results import measurements
from monitor.store.tables import arrivals, progress, windows
from monitor.store.writer import Writer
from monitor.telemetry.health import Health
from monitor.telemetry.latest_values import Latest
from monitor.telemetry.metrics import Meters
from monitor.worker import tasks
from monitor.worker.messages import ModelOptions, WindowClose, WindowResult, exact_note
from monitor.worker.pool import Worker, WorkerError

log = logging.getLogger("watchkeeper.ticks")

T = TypeVar("T")

CLOSINGS_A_CALL = 16
TAIL_ARRIVALS = 2_000
TAIL_ROWS = 50_000
ATTEMPTS = 3
ELSEWHERE = frozenset({"evidently"})
"""Measured apart from the closing of a window (monitor.pipeline.evidently_reports)."""
MEASURED = {name: metric.check for name, metric in CATALOG.items() if metric.check and metric.check not in ELSEWHERE}
CHECKS = sorted(set(MEASURED.values()))
RELATIVE = {name for name, metric in CATALOG.items() if metric.relative}
"""Not measured without a reference."""
PERFORMANCE = frozenset(name for name, metric in CATALOG.items() if metric.check == "performance")
"""Judged when a window's labels are mature, not when it closes."""


@dataclass
class EventTimePipeline:
    """Works one model's arrival log through. `tick` may be called at any pace: it decides nothing by the wall clock."""

    model: str
    options: ModelOptions
    url: str
    engine: Engine
    writer: Writer
    worker: Worker
    alert_engine: AlertEngine
    latest: Latest
    meters: Meters
    checks: CheckStates
    health: Health
    clock: Clock
    _prepared: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _upkeep: Upkeep = field(init=False)
    _picture_drawing: PictureDrawing = field(init=False)

    def __post_init__(self) -> None:
        self._upkeep = Upkeep(self.url, self.options, self.worker, self.meters, self.health, self.clock)
        self._picture_drawing = PictureDrawing(self.model, self.url, self.writer, self.worker)

    def tick(self) -> int:
        """Judges every closed window that has not been judged; returns how many. Raises WorkerError when the worker
        failed: the same windows are tried again at the next tick."""
        if not self._prepared:
            self._prepare()
        self._scan()
        judged = 0
        while closings := self._pending():
            judged += self._judge(closings)
            self._picture_drawing.run()
        self._picture_drawing.run()
        self._compact_tail()
        self._upkeep.run(judged, self._is_urgent)
        with self.engine.connect() as connection:
            self.meters.show_references(self.model, reference_status(connection, self.model))
        return judged

    def _is_urgent(self) -> bool:
        """Whether a window has closed meanwhile."""
        self._scan()
        return bool(self._pending())

    def _prepare(self) -> None:
        for check in CHECKS:
            self.meters.check_failures.labels(check=check)  # a counter that starts at 0 shows its first step
        plan = self.options.plan
        if plan.kind == "file":
            built = self._run(tasks.build_reference, str(plan.path), model=False)
            log.info("%s: reference %d holds %d rows (%s)", self.model, built.id, built.n, plan.path)
            for note in built.notes:
                log.info("%s: segments: %s", self.model, note)
        elif plan.learns:
            self.writer.call(lambda connection: configure(connection, self.model, plan, self.clock.time()))
        # Another reference may have come into force while the daemon was away.
        self._upkeep.due = True
        if self.options.drift and self.options.drift_preset is not None:
            log.info("%s: %s", self.model, exact_note(self.options.drift_preset))
        self._prepared = True

    def _scan(self) -> None:
        """Reads what is new in the log and stores which windows it closed."""
        while self.writer.call(self._scan_some):
            pass

    def _scan_some(self, connection: Connection, portion: int = 10_000) -> bool:
        row = connection.execute(select(progress).where(progress.c.model == self.model)).one_or_none()
        position = Position() if row is None else Position(row.scanned_seq, row.newest_time, row.next_window)
        if row is None:
            connection.execute(
                insert(progress).values(model=self.model, scanned_seq=0, compacted_seq=0, every=self.options.every)
            )
        fresh = connection.execute(
            select(arrivals.c.seq, arrivals.c.kind, arrivals.c.t_min, arrivals.c.t_max)
            .where(arrivals.c.model == self.model, arrivals.c.seq > position.seq)
            .order_by(arrivals.c.seq)
            .limit(portion)
        ).all()
        if not fresh:
            return False
        batches = [Arrival(item.seq, item.t_min, item.t_max) for item in fresh if item.kind == "predictions"]
        position, closed = advance(
            position, batches, every=self.options.every, allowed_lateness=self.options.allowed_lateness
        )
        for item in closed:
            connection.execute(
                insert(windows).values(
                    model=self.model, start=item.window.start, end=item.window.end, close_seq=item.close_seq
                )
            )
        connection.execute(
            update(progress)
            .where(progress.c.model == self.model)
            .values(scanned_seq=fresh[-1].seq, newest_time=position.newest_time, next_window=position.next_start)
        )
        return len(fresh) == portion

    def _pending(self) -> list[WindowClose]:
        """The next closed windows without a verdict, oldest first."""
        with self.engine.connect() as connection:
            judged = connection.scalar(select(progress.c.judged_window).where(progress.c.model == self.model))
            query = select(windows).where(windows.c.model == self.model)
            previous_seq = 0
            if judged is not None:
                previous_seq = connection.execute(
                    select(windows.c.close_seq).where(windows.c.model == self.model, windows.c.end == judged)
                ).scalar_one()
                query = query.where(windows.c.end > judged)
            # After a failure one window at a time, so that only the one that fails can be given up.
            limit = 1 if self._failures else CLOSINGS_A_CALL
            rows = connection.execute(query.order_by(windows.c.end).limit(limit)).all()
        closings = []
        for row in rows:
            closings.append(WindowClose(Window(row.start, row.end), row.close_seq, previous_seq))
            previous_seq = row.close_seq
        return closings

    def _judge(self, closings: Sequence[WindowClose]) -> int:
        started = self.clock.time()
        self._compact(closings[-1].close_seq)
        try:
            verdicts = self._run(tasks.measure_many, list(closings))
        except WorkerError as error:
            self._failures += 1
            if self._failures < ATTEMPTS or error.again:
                raise
            log.error("%s: window %s gets no measurement: %s", self.model, iso(closings[0].window.end), error)
            verdicts = [_failed(str(error))]
        self._failures = 0
        for closing, verdict in zip(closings, verdicts, strict=True):
            refused = self.writer.call(partial(self._record, closing=closing, verdict=verdict, started=started))
            if refused:
                log.warning("%s: window %s %s", self.model, iso(closing.window.end), refused)
                return 0
            self._show(closing, verdict)
        return len(closings)

    def _record(self, connection: Connection, closing: WindowClose, verdict: WindowResult, started: float) -> str:
        """Everything that a closing leads to, in one transaction; else why it is not to be recorded."""
        end = closing.window.end
        here = progress.c.model == self.model
        done = judged(connection, self.model)
        if done is not None and done >= end:
            return "was judged elsewhere"
        if verdict.uses is not None and read_activations(connection, self.model).after(verdict.uses, end):
            return "is measured again: what is normal has been decided on meanwhile"
        measurements.write(connection, self.model, verdict.measurements)
        measurements.write(connection, self.model, verdict.revisions)
        for check, seconds in verdict.seconds.items():
            measurements.record_run(
                connection,
                self.model,
                check,
                window_end=end,
                started_at=started,
                seconds=seconds,
                error=verdict.errors.get(check, ""),
            )
        names = MEASURED.keys() - PERFORMANCE
        now = [row for row in verdict.measurements if row.name not in PERFORMANCE]
        self.alert_engine.step(connection, self.model, now, end, metrics=names, failed=verdict.failed)
        if PERFORMANCE & verdict.failed.keys() and not verdict.matured:
            # No window has matured, so nothing else would tell these rules that their check is failing.
            self.alert_engine.step(connection, self.model, [], end, metrics=PERFORMANCE, failed=verdict.failed)
        for window, rows in verdict.matured:
            measurements.write(connection, self.model, rows)
            self.alert_engine.step(connection, self.model, rows, end, metrics=PERFORMANCE, failed=verdict.failed)
            connection.execute(
                update(windows)
                .where(windows.c.model == self.model, windows.c.start == window.start)
                .values(mature_at=end)
            )
        if self.alert_engine.illustrate(connection, self.model, verdict.drawn, closing.window):
            self._picture_drawing.owe()
        connection.execute(
            update(windows)
            .where(windows.c.model == self.model, windows.c.start == closing.window.start)
            .values(reference_id=verdict.reference, version=verdict.version)
        )
        for version in note_versions(connection, self.model, closing.window, verdict.versions):
            log.warning("%s: version %s of the model appears, %s", self.model, version or "(none)", iso(end))
        connection.execute(update(progress).where(here).values(judged_window=end))
        return ""

    def _show(self, closing: WindowClose, verdict: WindowResult) -> None:
        """Hands the verdict to /metrics and the page; performance only once it is no longer provisional."""
        if verdict.reference is None and not verdict.failed:
            # Without a reference nothing of these is measured, and none may stay as the last one left it.
            self.latest.forget(self.model, RELATIVE)
        self.latest.put(self.model, [row for row in verdict.measurements if row.name not in PERFORMANCE])
        for _, rows in verdict.matured:
            self.latest.put(self.model, rows)
        for check, seconds in verdict.seconds.items():
            self.meters.check_duration.labels(check=check).observe(seconds)
            if check in verdict.errors:
                self.meters.check_failures.labels(check=check).inc()
            else:
                self.meters.check_last_success.labels(check=check).set(self.clock.time())
            self.checks.report(check, check in verdict.errors)

    def _compact_tail(self) -> None:
        """Compacts what no window has closed over yet, once there is enough of it to be worth a chunk."""
        with self.engine.connect() as connection:
            seqs = connection.execute(
                select(progress.c.scanned_seq, progress.c.compacted_seq).where(progress.c.model == self.model)
            ).one()
            batches, rows = connection.execute(
                select(func.count(), func.sum(arrivals.c.n)).where(
                    arrivals.c.model == self.model,
                    arrivals.c.seq > seqs.compacted_seq,
                    arrivals.c.seq <= seqs.scanned_seq,
                )
            ).one()
        if batches >= TAIL_ARRIVALS or (rows or 0) >= TAIL_ROWS:
            self._compact(seqs.scanned_seq)

    def _compact(self, upto_seq: int) -> None:
        done = self._run(tasks.compact, upto_seq)
        self.meters.events_duplicate.labels(model=self.model).inc(done.duplicates)
        self.meters.labels_waiting.labels(model=self.model).set(done.labels_waiting)
        self.meters.labels_invalid.labels(model=self.model).inc(done.labels_invalid)
        self.meters.events_corrupt.labels(model=self.model).inc(done.damaged)

    def _run(self, task: Callable[..., T], *args: object, model: bool = True) -> T:
        """Has the worker do a task of this model. A task that fails leaves every check failing, for a rule to see."""
        named = (self.model,) if model else ()
        try:
            result = self.worker.run(task, self.url, *named, *args, self.options)
        except WorkerError as error:
            self.meters.check_failures.labels(check="worker").inc()
            self.health.report(f"checks of {self.model}", f"{error.kind}: {error}")
            for check in CHECKS:
                self.checks.report(check, True)
            raise
        self.health.report(f"checks of {self.model}", None)
        return result


def _failed(error: str) -> WindowResult:
    """The verdict on a window that could not be measured: nothing but errors, so that rules see them as such."""
    return WindowResult(
        measurements=[],
        revisions=[],
        matured=[],
        errors=dict.fromkeys(MEASURED.values(), error),
        seconds=dict.fromkeys(MEASURED.values(), 0.0),
        failed=dict.fromkeys(MEASURED, error),
    )
