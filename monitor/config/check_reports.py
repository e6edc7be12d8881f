"""What is wrong with a check of `type: evidently` although each value is well-formed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alerts.duration import span
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.checks import EvidentlySettings
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config
from monitor.settings.suggest import nearest
from monitor.worker.evidently.messages import PRESETS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_TAKEN = ("drift", "quality", "performance", "volume", "evidently", "worker")


def report_problems(config: Config, document: Document) -> Iterator[Problem]:
    for index, model in enumerate(config.models):
        root: Place = ("models", index) if "models" in document.value else ()
        for name, settings in model.checks.evidently.items():
            for text in _problems(name, settings, model, config.retention.events):
                yield Problem(document.line((*root, "checks", name)), f"checks.{name}: {text}")


def _problems(name: str, settings: EvidentlySettings, model: ModelSettings, kept: float) -> Iterator[str]:
    if name in _TAKEN or not _NAME.fullmatch(name):
        yield "choose another name: letters, digits and -, and none of Watchkeeper's own checks"
    if model.reference_file is None:
        yield f"Evidently compares with the rows of a reference's file; give model {model.model} one"
    if settings.preset is not None and settings.preset not in PRESETS:
        close = nearest(settings.preset, PRESETS)
        hint = f"; did you mean {close}?" if close else f"; there are {', '.join(PRESETS)}"
        yield f"Evidently has no preset {settings.preset!r}{hint}"
    for key, length in (("window", settings.window), ("every", settings.every)):
        windows = 1.0 if length is None else length / model.windows.every
        if windows < 1 or abs(windows - round(windows)) > 1e-6:
            yield f"{key} must be a multiple of windows.every, which is {span(model.windows.every)}"
    if (settings.window or 0.0) > kept:
        yield f"window is longer than events are kept (retention.events: {span(kept)}), so some of it would be gone"
    for item in settings.metrics:
        if isinstance(item, dict) and len(item) != 1:
            yield f"write each metric as its name, or as {{name: options}}; {', '.join(item) or '{}'} is neither"
