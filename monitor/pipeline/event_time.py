"""The event-time side of the daemon: follows each model's arrival log, has closed windows measured in the worker, and
records the verdict on each one in a single transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from checks.base import Window
from checks.catalog import CATALOG
from monitor.clock import iso
from monitor.collectors.check_states import CheckStates
from monitor.collectors.stream_shares import StreamShares
from monitor.ingest.warnings import WarningKind
from monitor.pipeline.incident_pictures import PictureDrawing
from monitor.pipeline.parts import Parts
from monitor.pipeline.profile_upkeep import Upkeep
from monitor.pipeline.watermark import Arrival, Position, advance
from monitor.store import progress
from monitor.store.references.activations import configure, judged, read_activations
from monitor.store.references.active import reference_status
from monitor.store.references.model_versions import note_versions
from monitor.store.results import measurements
from monitor.worker import tasks
from monitor.worker.messages import ModelOptions, WindowClose, WindowResult, exact_note
from monitor.worker.pool import WorkerError

log = logging.getLogger("watchkeeper.ticks")

T = TypeVar("T")

CLOSINGS_A_CALL = 16
TAIL_ARRIVALS = 2_000
TAIL_ROWS = 50_000
ATTEMPTS = 3
UNMATCHED = "labels wait for a prediction with their id; send a label with exactly the id of its prediction"
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

    options: ModelOptions
    checks: CheckStates
    parts: Parts
    shares: StreamShares
    model: str = field(init=False)
    _prepared: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _upkeep: Upkeep = field(init=False)
    _picture_drawing: PictureDrawing = field(init=False)

    def __post_init__(self) -> None:
        self.model = self.options.model
        self._upkeep = Upkeep(self.options, self.parts)
        self._picture_drawing = PictureDrawing(self.model, self.parts)

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
        with self.parts.engine.connect() as connection:
            self.parts.meters.show_references(self.model, reference_status(connection, self.model))
        return judged

    def _is_urgent(self) -> bool:
        """Whether a window has closed meanwhile."""
        self._scan()
        return bool(self._pending())

    def _prepare(self) -> None:
        for check in CHECKS:
            self.parts.meters.check_failures.labels(check=check)  # a counter that starts at 0 shows its first step
        plan = self.options.plan
        if plan.kind == "file":
            built = self._run(tasks.build_reference, str(plan.path), model=False)
            log.info("%s: reference %d holds %d rows (%s)", self.model, built.id, built.n, plan.path)
            for note in built.notes:
                log.info("%s: segments: %s", self.model, note)
        elif plan.learns:
            self.parts.writer.call(lambda connection: configure(connection, self.model, plan, self.parts.clock.time()))
        # Another reference may have come into force while the daemon was away.
        self._upkeep.due = True
        if self.options.checks.drift and self.options.checks.preset is not None:
            log.info("%s: %s", self.model, exact_note(self.options.checks.preset))
        self._prepared = True

    def _scan(self) -> None:
        """Reads what is new in the log and stores which windows it closed."""
        while self.parts.writer.call(self._scan_some):
            pass

    def _scan_some(self, connection: Connection, portion: int = 10_000) -> bool:
        position = Position(*progress.read_or_begin(connection, self.model, self.options.every))
        fresh = progress.read_arrivals(connection, self.model, position.seq, portion)
        if not fresh:
            return False
        batches = [Arrival(item.seq, item.t_min, item.t_max) for item in fresh if item.kind == "predictions"]
        position, closed = advance(
            position, batches, every=self.options.every, allowed_lateness=self.options.allowed_lateness
        )
        progress.record_scan(
            connection,
            self.model,
            [(item.window, item.close_seq) for item in closed],
            seq=fresh[-1].seq,
            newest_time=position.newest_time,
            next_window=position.next_start,
        )
        return len(fresh) == portion

    def _pending(self) -> list[WindowClose]:
        """The next closed windows without a verdict, oldest first."""
        # After a failure one window at a time, so that only the one that fails can be given up.
        limit = 1 if self._failures else CLOSINGS_A_CALL
        with self.parts.engine.connect() as connection:
            previous_seq, rows = progress.unjudged_windows(connection, self.model, limit)
        closings = []
        for row in rows:
            closings.append(WindowClose(Window(row.start, row.end), row.close_seq, previous_seq))
            previous_seq = row.close_seq
        return closings

    def _judge(self, closings: Sequence[WindowClose]) -> int:
        started = self.parts.clock.time()
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
            refused = self.parts.writer.call(partial(self._record, closing=closing, verdict=verdict, started=started))
            if refused:
                log.warning("%s: window %s %s", self.model, iso(closing.window.end), refused)
                return 0
            self._show(verdict)
        return len(closings)

    def _record(self, connection: Connection, closing: WindowClose, verdict: WindowResult, started: float) -> str:
        """Everything that a closing leads to, in one transaction; else why it is not to be recorded."""
        end = closing.window.end
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
        self.parts.alert_engine.step(connection, self.model, now, end, metrics=names, failed=verdict.failed)
        if PERFORMANCE & verdict.failed.keys() and not verdict.matured:
            # No window has matured, so nothing else would tell these rules that their check is failing.
            self.parts.alert_engine.step(connection, self.model, [], end, metrics=PERFORMANCE, failed=verdict.failed)
        for window, rows in verdict.matured:
            measurements.write(connection, self.model, rows)
            self.parts.alert_engine.step(connection, self.model, rows, end, metrics=PERFORMANCE, failed=verdict.failed)
            progress.record_window(connection, self.model, window, mature_at=end)
        if self.parts.alert_engine.incidents.attach_pictures(connection, self.model, verdict.drawn, closing.window):
            self._picture_drawing.owe()
        found = {"reference_id": verdict.reference, "version": verdict.version}
        progress.record_window(connection, self.model, closing.window, **found)
        for version in note_versions(connection, self.model, closing.window, verdict.versions):
            log.warning("%s: version %s of the model appears, %s", self.model, version or "(none)", iso(end))
        progress.record_judged(connection, self.model, end)
        return ""

    def _show(self, verdict: WindowResult) -> None:
        """Hands the verdict to /metrics and the page; performance only once it is no longer provisional."""
        if verdict.reference is None and not verdict.failed:
            # Without a reference nothing of these is measured, and none may stay as the last one left it.
            self.parts.latest.forget(self.model, RELATIVE)
        self.parts.latest.put(self.model, [row for row in verdict.measurements if row.name not in PERFORMANCE])
        for _, rows in verdict.matured:
            self.parts.latest.put(self.model, rows)
        for check, seconds in verdict.seconds.items():
            self.parts.meters.check_duration.labels(check=check).observe(seconds)
            if check in verdict.errors:
                self.parts.meters.check_failures.labels(check=check).inc()
            else:
                self.parts.meters.check_last_success.labels(check=check).set(self.parts.clock.time())
            self.checks.report(check, check in verdict.errors)

    def _compact_tail(self) -> None:
        """Compacts what no window has closed over yet, once there is enough of it to be worth a chunk."""
        with self.parts.engine.connect() as connection:
            seq, batches, rows = progress.uncompacted(connection, self.model)
        if batches >= TAIL_ARRIVALS or rows >= TAIL_ROWS:
            self._compact(seq)

    def _compact(self, upto_seq: int) -> None:
        done = self._run(tasks.compact, upto_seq)
        self.parts.meters.events_duplicate.labels(model=self.model).inc(done.duplicates)
        self.parts.meters.labels_waiting.labels(model=self.model).set(done.labels_waiting)
        if self.parts.data_warnings.set(self.model, WarningKind.UNMATCHED_LABEL, done.labels_waiting, UNMATCHED):
            log.info("%s: %d %s", self.model, done.labels_waiting, UNMATCHED)
        self.parts.meters.labels_invalid.labels(model=self.model).inc(done.labels_invalid)
        self.parts.meters.events_corrupt.labels(model=self.model).inc(done.damaged)
        self.shares.compacted(
            self.parts.clock.monotonic(),
            labels=done.labels_read,
            placed=done.labels_placed,
            invalid=done.labels_invalid,
            corrupt=done.damaged,
        )

    def _run(self, task: Callable[..., T], *args: object, model: bool = True) -> T:
        """Has the worker do a task of this model. A task that fails leaves every check failing, for a rule to see."""
        named = (self.model,) if model else ()
        try:
            result = self.parts.worker.run(task, self.parts.url, *named, *args, self.options)
        except WorkerError as error:
            self.parts.meters.check_failures.labels(check="worker").inc()
            self.parts.health.report(f"checks of {self.model}", f"{error.kind}: {error}")
            for check in CHECKS:
                self.checks.report(check, True)
            raise
        self.parts.health.report(f"checks of {self.model}", None)
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
