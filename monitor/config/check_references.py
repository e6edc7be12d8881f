"""What is wrong with a reference although each value is well-formed."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.duration import span
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.root import Config


def reference_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Spans that the stream can't fill: of no whole windows, or longer than its rows are kept."""
    kept = config.retention.events
    for index, model in enumerate(config.models):
        root: Place = ("models", index) if "models" in document.value else ()
        said, every = model.reference, model.windows.every
        for key, length in (("first", said.first), ("of", said.of)) if said else ():
            if length is None:
                continue
            line = document.line((*root, "reference", key))
            if length < every or abs(length / every - round(length / every)) > 1e-6:
                yield Problem(line, f"reference.{key} must be a multiple of windows.every, which is {span(every)}")
            elif length > kept:
                yield Problem(
                    line,
                    f"reference.{key} is longer than events are kept (retention.events: {span(kept)}), so some of it "
                    "would be gone",
                )
