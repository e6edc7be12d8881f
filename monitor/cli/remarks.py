"""Remarks on what a config may say, and was probably not meant: numbers in another unit, too few rows."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.duration import span
from alerts.rules.rule import Rule
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config

FEW = 2
"""So many windows' rows a reference should hold at least: with fewer its limits are guesses."""
DAY = 86400.0
MINUTE = 60.0
BUSY = "the server is asked all the time"
UNSEEN = "a spike between two samples is unseen"


def reference_remarks(model: ModelSettings, rows: int) -> Iterator[str]:
    """Yield a sentence where a reference of so many rows is too small."""
    least = FEW * model.windows.min_rows
    if rows < least:
        yield (
            f"the reference has {rows:,} rows, too few for its checks: below {least:,} (twice windows.min_rows, "
            f"{model.windows.min_rows}) limits rest on chance; give some thousand rows"
        )


def model_remarks(model: ModelSettings) -> Iterator[str]:
    """Yield a sentence for each setting of a model that is odd."""
    yield from _windows(model)
    judged = "performance is judged by the labels that have come by then"
    yield from _short("labels.maturity", model.labels.maturity, min(model.windows.every, 10 * MINUTE), "7d", judged)
    if model.server is not None:
        yield from _short("server.interval", model.server.interval, 1.0, "15s", BUSY)
        yield from _long("server.interval", model.server.interval, 10 * MINUTE, "15s", UNSEEN)
    for probe in model.probes:
        yield from _short(f"the interval of probe {probe.name}", probe.interval, 1.0, "15s", BUSY)


def config_remarks(config: Config, rules: list[Rule]) -> Iterator[str]:
    """Yield a sentence for each setting that holds for all models and is odd."""
    kept = config.retention.events
    for model in config.models:
        if model.labels.maturity > kept:
            yield (
                f"labels.maturity of {model.model} is {span(model.labels.maturity)}, but retention.events deletes "
                f"predictions after {span(kept)}: later labels find none; set retention.events higher"
            )
    yield from _short("retention.events", kept, DAY / 24, "14d", "late labels find no prediction")
    yield from _short("retention.history", config.retention.history, DAY, "400d", "nothing can be looked back on")
    yield from _short("acknowledged_for", config.acknowledged_for, MINUTE, "1d", "reminders come back at once")
    yield from _short("worker.timeout", config.worker.timeout, 5.0, "5m", "checks are stopped before they are done")
    yield from _long("evaluate", config.evaluate, 3600.0, "15s", "a closed window waits as long")
    yield from _long("collect.interval", config.collect.interval, 10 * MINUTE, "15s", UNSEEN)
    for rule in rules:
        yield from _short(f"`for` of rule {rule.name}", rule.for_.seconds, 1.0, "10m", "it has no effect")


def _windows(model: ModelSettings) -> Iterator[str]:
    every, late = model.windows.every, model.windows.allowed_lateness
    yield from _short("windows.every", every, MINUTE, "1h", "few rows fall into one window")
    yield from _long("windows.every", every, 31 * DAY, "1d", "what is wrong is known as late")
    if late > every:
        yield (
            f"windows.allowed_lateness is {span(late)}, longer than a window ({span(every)}): each is judged "
            f"{late / every:.3g} windows after its end; set it to what events really are late by, such as "
            f"`windows: {{every: {span(every)}, allowed_lateness: {span(every / 6)}}}`"
        )


def _short(name: str, value: float, least: float, such: str, why: str) -> Iterator[str]:
    if 0 < value < least:
        yield f"{name} is {span(value)}, and {why}; a number without a unit is seconds, so write {such} or the like"


def _long(name: str, value: float, most: float, such: str, why: str) -> Iterator[str]:
    if value > most:
        yield f"{name} is {span(value)}, and {why}; a number without a unit is seconds, so write {such} or the like"
