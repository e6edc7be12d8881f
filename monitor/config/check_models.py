"""What is wrong with a model although each value is well-formed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alerts.duration import span
from alerts.url import url_problem
from checks.suggest import nearest
from monitor.config.check_preset import preset_problem
from monitor.config.check_requests import request_problems
from monitor.config.error_messages import place_text
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.checks import EvidentlySettings
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config, RetentionSettings
from monitor.worker.evidently.messages import PRESETS

Found = Iterator[tuple[Place, str]]
"""Places within a model, and what is wrong there."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_TAKEN = ("drift", "quality", "performance", "volume", "evidently", "worker")


def model_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Find addresses that are none, spans that the stream can't fill, and checks that can't run."""
    for index, model in enumerate(config.models):
        root = document.model_place(index)
        for key, check in (("url", url_problem), ("preset", preset_problem)) if model.server else ():
            if wrong := check(getattr(model.server, key)):
                place = (*root, "server", key)
                yield Problem(document.line(place), f"{place_text(place)}: {wrong}")
        if model.server is not None:
            for place, wrong in request_problems(model.server, model.server.url):
                place = (*root, "server", *place)
                yield Problem(document.line(place), f"{place_text(place)}: {wrong}")
        for place, text in _problems(model, config.retention):
            yield Problem(document.line((*root, *place)), text)


def _problems(model: ModelSettings, kept: RetentionSettings) -> Found:
    yield from _reference_problems(model, kept.events)
    yield from _over_problems(model, kept.history)
    for name, settings in model.checks.evidently.items():
        for text in _report_problems(name, settings, model, kept.events):
            yield ("checks", name), f"checks.{name}: {text}"


def _reference_problems(model: ModelSettings, kept: float) -> Found:
    said, every = model.reference, model.windows.every
    for key, length in (("first", said.first), ("of", said.of)) if said else ():
        if length is None:
            continue
        if not _fits(length, every):
            yield ("reference", key), f"reference.{key} must be a multiple of windows.every, which is {span(every)}"
        elif length > kept:
            text = f"longer than events are kept (retention.events: {span(kept)}), so some of it would be gone"
            yield ("reference", key), f"reference.{key} is {text}"


def _over_problems(model: ModelSettings, kept: float) -> Found:
    every = model.windows.every
    for index, length in enumerate(model.checks.drift.lookback if model.checks.drift else ()):
        text = None
        if length <= every or not _fits(length, every):
            text = f"must be several times windows.every ({span(every)})"
        elif length > kept:
            text = f"is longer than profiles are kept (retention.history: {span(kept)})"
        if text:
            yield ("checks", "drift", "lookback", index), f"checks.drift.lookback: {span(length)} {text}"


def _report_problems(name: str, settings: EvidentlySettings, model: ModelSettings, kept: float) -> Iterator[str]:
    if name in _TAKEN or not _NAME.fullmatch(name):
        yield "choose another name: letters, digits and -, and none of Watchkeeper's own checks"
    if model.reference_file is None:
        yield f"Evidently compares with the rows of a reference's file; give model {model.model} one"
    if settings.preset is not None and settings.preset not in PRESETS:
        close = nearest(settings.preset, PRESETS)
        hint = f"; did you mean {close}?" if close else f"; there are {', '.join(PRESETS)}"
        yield f"Evidently has no preset {settings.preset!r}{hint}"
    for key, length in (("window", settings.window), ("every", settings.every)):
        if length is not None and not _fits(length, model.windows.every):
            yield f"{key} must be a multiple of windows.every, which is {span(model.windows.every)}"
    if (settings.window or 0.0) > kept:
        yield f"window is longer than events are kept (retention.events: {span(kept)}), so some of it would be gone"
    for item in settings.metrics:
        if isinstance(item, dict) and len(item) != 1:
            yield f"write each metric as its name, or as {{name: options}}; {', '.join(item) or '{}'} is neither"


def _fits(length: float, every: float) -> bool:
    """Return whether so many whole windows, at least one, fill a span."""
    windows = length / every
    return windows >= 1 and abs(windows - round(windows)) <= 1e-6
