"""Runs Evidently over a sample of a window: its numbers as measurements, its HTML into the database."""

from __future__ import annotations

import gzip

from sqlalchemy import Engine

from checks.data.frame import from_reference
from monitor.clock import Clock
from monitor.store.results import reports
from monitor.worker.evidently.catalog import ReportError, items
from monitor.worker.evidently.messages import ReportOutcome, ReportTask
from monitor.worker.evidently.page import quoted
from monitor.worker.evidently.rows import count, frame_of, of_reference, of_window
from monitor.worker.evidently.run import ReportRun
from monitor.worker.evidently.values import failed, numbers
from monitor.worker.messages import ModelOptions
from monitor.worker.sample import Sample
from monitor.worker.stored.references import of_file, reread
from monitor.worker.stored.window_reader import WindowReader


def run(engine: Engine, model: str, task: ReportTask, options: ModelOptions, clock: Clock) -> ReportOutcome:
    """See `monitor.worker.evidently.messages.make_report`."""
    began = clock.monotonic()
    with engine.connect() as connection:
        reference = of_file(connection, model)
    if reference is None:
        raise ReportError(f"model {model} has no reference, and Evidently compares with one")
    evidence = WindowReader(engine, model, reference, task.seq, options)
    there = count(evidence, task.window, options.every)
    if there < options.checks.min_rows:
        text = f"{there} rows in the window, {options.checks.min_rows} are needed (windows.min_rows)"
        return ReportOutcome([], clock.monotonic() - began, there, skipped=text)
    wanted = items(task.preset, task.metrics, task.options)
    labelled = any(item.scores for item in wanted)
    sample = Sample(task.sample, task.seed)
    of_window(evidence, task.window, options.every, sample, labelled=labelled)
    current = sample.table()
    if current is None or sample.seen < options.checks.min_rows:
        text = f"{sample.seen} rows with a label, {options.checks.min_rows} are needed (windows.min_rows)"
        return ReportOutcome([], clock.monotonic() - began, sample.seen, skipped=text)
    schema = reference.reference.schema
    table = from_reference(reread(engine, reference, task.reference, options), schema)
    normal = of_reference(table, task.sample, task.seed)
    made = ReportRun(wanted, schema, frame_of(current, schema), frame_of(normal, schema))
    snapshot, bad = made.snapshot()
    rows = current.num_rows
    found = [*numbers(snapshot, task, rows), *failed(bad, {name: made.names(name) for name in bad}, task)]
    if task.html:
        page = gzip.compress(quoted(snapshot.get_html_str(as_iframe=False)).encode("utf-8", "replace"), 6, mtime=0)
        own = reports.StoredReport(task.id, model, task.check, task.window.start, task.window.end, clock.time())
        reports.add(engine, own, page)
    return ReportOutcome(found, clock.monotonic() - began, rows, task.id if task.html else "")
