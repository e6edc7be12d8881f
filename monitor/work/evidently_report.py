"""Runs Evidently over a sample of a window: its numbers as measurements, its HTML into the database."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Engine, delete, insert

from checks.base import Labels, Measurement, NotEnough, Window, labels
from checks.frame import concat, from_reference
from checks.schema import Schema
from monitor.clock import Clock
from monitor.store.engine import writing
from monitor.store.tables import reports
from monitor.work.closing import ModelOptions, window_of
from monitor.work.evidence import Evidence
from monitor.work.references import newest, read_table
from monitor.work.reports import ReportOutcome, ReportTask

CODEC = "html/gzip"
NUMBERS = 2_000
"""Numbers of one report that become measurements."""
_LONGEST = 200


class ReportError(Exception):
    """The report can't be made; one sentence."""


def run(engine: Engine, model: str, task: ReportTask, options: ModelOptions, clock: Clock) -> ReportOutcome:
    """See `monitor.work.reports.make_report`."""
    began = clock.monotonic()
    with engine.connect() as connection:
        reference = newest(connection, model)
    if reference is None:
        raise ReportError(f"model {model} has no reference, and Evidently compares with one")
    schema = reference.reference.schema
    rng = np.random.default_rng(task.seed)
    current = _sample(_window(Evidence(engine, model, reference, task.seq, options), task, options), task.sample, rng)
    rows = 0 if current is None else current.num_rows
    if current is None or rows < options.min_rows:
        text = f"{rows} rows in the window, {options.min_rows} are needed (windows.min_rows)"
        return ReportOutcome([], clock.monotonic() - began, rows, skipped=text)
    normal = _sample(from_reference(read_table(task.reference), schema), task.sample, rng)
    assert normal is not None
    made = _Run(task, schema, _pandas(current, schema), _pandas(normal, schema))
    snapshot, bad = made.snapshot()
    found = [*_numbers(snapshot, task, rows), *_failed(bad, task)]
    kept = ""
    if task.html:
        _store(engine, model, task, snapshot.get_html_str(as_iframe=False), clock.time())
        kept = task.id
    return ReportOutcome(found, clock.monotonic() - began, rows, kept)


class _Run:
    """One preset, or list of metrics, over two frames."""

    def __init__(self, task: ReportTask, schema: Schema, current: pd.DataFrame, normal: pd.DataFrame) -> None:
        self._task, self._schema, self._current, self._normal = task, schema, current, normal

    def snapshot(self) -> tuple[Any, dict[str, str]]:
        """Evidently's result, and the columns that had to be left out of it, each with its error: in Evidently one
        column that fails takes the whole report with it."""
        columns = [name for name, _ in self._schema.features]
        try:
            return self._over(columns), {}
        except Exception as error:
            bad = {name: text for name in columns if (text := self._alone(name))}
            good = [name for name in columns if name not in bad]
            if not bad or not good:
                raise ReportError(f"Evidently: {type(error).__name__}: {error}") from error
            return self._over(good), bad

    def _alone(self, column: str) -> str:
        """Why Evidently can't take this column, if so."""
        try:
            self._over([column])
        except Exception as error:  # noqa: BLE001 - whatever a column's values make it raise is that column's error
            return f"{type(error).__name__}: {error}"
        return ""

    def _over(self, columns: list[str]) -> Any:
        from evidently import Dataset, Report

        definition = _definition(self._schema, columns, {*self._current.columns} & {*self._normal.columns})
        kept = [name for name in self._current.columns if name in columns or name in _OUTCOME]
        sets = [
            Dataset.from_pandas(frame[[name for name in kept if name in frame]], data_definition=definition)
            for frame in (self._current, self._normal)
        ]
        return Report(_items(self._task)).run(*sets)


_OUTCOME = ("target", "prediction", "score")


def _items(task: ReportTask) -> list[Any]:
    """The preset or the metrics that the check names. Raises ReportError."""
    import evidently.metrics
    import evidently.presets

    if task.preset is not None:
        return [_made(evidently.presets, task.preset, task.options)]
    named = [(item, {}) if isinstance(item, str) else next(iter(item.items())) for item in task.metrics]
    return [_made(evidently.metrics, name, given) for name, given in named]


def _made(module: Any, name: str, given: dict[str, Any]) -> Any:
    kind = getattr(module, name, None)
    if kind is None or name.startswith("_"):
        raise ReportError(f"{module.__name__} has no {name}")
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise ReportError(f"{name} does not take these options: {str(error).splitlines()[0]}") from None


def _definition(schema: Schema, columns: list[str], common: set[str]) -> Any:
    from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression

    kinds = dict(schema.features)
    tasks: dict[str, Any] = {}
    if {"target", "prediction"} <= common:
        score = "score" if "score" in common else None
        if schema.task == "binary":
            tasks["classification"] = [
                BinaryClassification(
                    target="target",
                    prediction_labels="prediction",
                    prediction_probas=score,
                    pos_label=_positive(schema),
                )
            ]
        elif schema.task == "multiclass":
            tasks["classification"] = [MulticlassClassification(target="target", prediction_labels="prediction")]
        elif schema.task == "regression":
            tasks["regression"] = [Regression(target="target", prediction="prediction")]
    return DataDefinition(
        numerical_columns=[name for name in columns if kinds[name] == "numeric"],
        categorical_columns=[name for name in columns if kinds[name] != "numeric"],
        **tasks,
    )


def _positive(schema: Schema) -> str:
    return schema.positive_class or "1"


def _window(evidence: Evidence, task: ReportTask, options: ModelOptions) -> pa.Table | None:
    """The window's rows, with `label` where it has arrived."""
    frames: list[pa.Table] = []
    start = window_of(task.window.start, options.every).start
    while start < task.window.end:
        window = Window(start, start + options.every)
        frames += [_with_labels(frame, evidence, window) for frame in evidence.frames(window)]
        start = window.end
    return concat(frames) if frames else None


def _with_labels(frame: pa.Table, evidence: Evidence, window: Window) -> pa.Table:
    known = evidence.labelled(window).frame
    if known is None:
        return frame
    found = dict(zip(known["id"].to_pylist(), known["label"].to_pylist(), strict=True))
    values = [found.get(id_) for id_ in frame["id"].to_pylist()]
    return frame.append_column("label", pa.array(values, known["label"].type))


def _sample(table: pa.Table | None, size: int, rng: np.random.Generator) -> pa.Table | None:
    """At most `size` rows, in their order; the same of the same rows."""
    if table is None or table.num_rows <= size:
        return table
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, size, replace=False))))


def _pandas(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """The frame under the names that people know: features by their own, and target, prediction and score."""
    names = {"label": "target", "prediction": "prediction", "score": "score"}
    own = {column: names[column] for column in names if column in table.column_names}
    # A feature of such a name would stand for two things; the outcome gives way.
    taken = {name for name, _ in schema.features}
    own = {column: name for column, name in own.items() if name not in taken}
    features = {f"f:{name}": name for name, _ in schema.features if f"f:{name}" in table.column_names}
    columns = {name: table[column].to_pandas() for column, name in {**features, **own}.items()}
    frame = pd.DataFrame(columns)
    for name, kind in schema.features:
        if name in frame and kind != "numeric":
            frame[name] = frame[name].astype(object)
    if schema.task in ("binary", "multiclass"):
        for name in ("target", "prediction"):
            if name in own.values():
                frame[name] = frame[name].map(_class, na_action="ignore")
    return frame


def _class(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _numbers(snapshot: Any, task: ReportTask, rows: int) -> list[Measurement]:
    """Every number of the report, under names that are distinct: the metric's own, or the long one with its options."""
    found: list[Measurement] = []
    seen: set[Labels] = set()
    for item in snapshot.dict()["metrics"]:
        config = item.get("config") or {}
        column = str(config.get("column") or "")
        short = str(item["metric_name"]).partition("(")[0]
        for stat, value in _flat(item["value"]):
            own = labels(check=task.check, metric=short, column=column[:_LONGEST], stat=stat[:_LONGEST])
            if own in seen:
                name = str(item["metric_name"])[:_LONGEST]
                own = labels(check=task.check, metric=name, column=column[:_LONGEST], stat=stat[:_LONGEST])
            if own in seen or len(found) == NUMBERS:
                continue
            seen.add(own)
            found.append(_measured(value, task, own, rows, config if short == "ValueDrift" else {}))
    return found


def _measured(value: float, task: ReportTask, own: Labels, rows: int, drift: dict[str, Any]) -> Measurement:
    if not math.isfinite(value):
        detail = {"error": "Evidently gave no finite number"}
        return Measurement("evidently_value", None, task.window, own, n=rows, reason=NotEnough.ERROR, detail=detail)
    made = Measurement("evidently_value", value, task.window, own, n=rows)
    threshold = drift.get("threshold")
    if not isinstance(threshold, int | float):
        return made
    method = str(drift.get("method") or "")
    # A p-value tells drift when it is small, a distance when it is large.
    side = "limit_low" if "p_value" in method else "limit_high"
    return replace(made, detail={"method": method}, **{side: float(threshold)})  # type: ignore[arg-type]


def _failed(bad: dict[str, str], task: ReportTask) -> Iterator[Measurement]:
    for column, text in bad.items():
        own = labels(check=task.check, metric=task.preset or "metrics", column=column[:_LONGEST])
        detail = {"error": text[:500]}
        yield Measurement("evidently_value", None, task.window, own, reason=NotEnough.ERROR, detail=detail)


def _flat(value: Any, stat: str = "") -> Iterable[tuple[str, float]]:
    """(place within the value, number) of all numbers in it."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield stat, float(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{stat}.{key}" if stat else str(key))


def _store(engine: Engine, model: str, task: ReportTask, html: str, now: float) -> None:
    """Keeps the report in the place of an earlier one of the same window, which a process that ended left behind."""
    same = (reports.c.model == model) & (reports.c.check_name == task.check) & (reports.c.window_end == task.window.end)
    values = {
        "id": task.id,
        "model": model,
        "check_name": task.check,
        "window_start": task.window.start,
        "window_end": task.window.end,
        "created_at": now,
        "linked": 0,
        "codec": CODEC,
        "payload": gzip.compress(html.encode(), mtime=0),
    }
    with writing(engine).begin() as connection:
        connection.execute(delete(reports).where(same))
        connection.execute(insert(reports).values(values))
