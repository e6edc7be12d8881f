"""What is wrong with the longer spans that drift is measured over although each is a time."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.duration import span
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.root import Config


def lookback_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Spans of no whole windows, of one window alone, and such as nothing is kept for."""
    kept = config.retention.history
    for index, model in enumerate(config.models):
        root: Place = ("models", index) if "models" in document.value else ()
        every = model.windows.every
        for place, length in enumerate(model.checks.drift.lookback if model.checks.drift else ()):
            line = document.line((*root, "checks", "drift", "lookback", place))
            text = None
            if length <= every or abs(length / every - round(length / every)) > 1e-6:
                text = f"must be several times windows.every ({span(every)})"
            elif length > kept:
                text = f"is longer than profiles are kept (retention.history: {span(kept)})"
            if text:
                yield Problem(line, f"checks.drift.lookback: {span(length)} {text}")
