"""Warnings about what models' rows hold, as far as /metrics, the page and rules need them: counted since the start, and
as a share of what came lately."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from monitor.ingest.warnings import WarningKind, Warnings, plain

MINUTES = 15
"""How far back the share of unusable rows looks."""


class DataWarnings:
    """The oddities in the rows of every model since the start. Safe from every thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: dict[str, Warnings] = defaultdict(Warnings)
        self._recent: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(dict)

    def add(self, model: str, stream: str, rows: int, found: Warnings) -> list[WarningKind]:
        """Count a batch of `predictions` or `labels`; return the kinds that this model has not had before."""
        minute = int(self._monotonic() // 60)
        with self._lock:
            recent = self._recent[model, stream]
            counts = recent.setdefault(minute, [0, 0])
            counts[0] += rows
            counts[1] += found.unusable(rows)
            if len(recent) > MINUTES:
                self._recent[model, stream] = {key: own for key, own in recent.items() if key > minute - MINUTES}
            if not found.counts:
                return []
            seen = self._seen[model]
            fresh = [kind for kind in found.counts if kind not in seen.counts]
            for kind, count in found.counts.items():
                seen.add(kind, count, found.examples[kind])
            return fresh

    def set(self, model: str, kind: WarningKind, count: int, example: str) -> bool:
        """Make the count of a kind exactly this, and return whether the kind is new. 0 takes it away."""
        with self._lock:
            seen = self._seen[model]
            fresh = count > 0 and kind not in seen.examples
            if count:
                seen.counts[kind], seen.examples[kind] = count, example
            else:
                seen.counts.pop(kind, None)
            return fresh

    def recent(self, model: str, stream: str) -> tuple[int, int]:
        """Return the rows of the last 15 minutes, and how many of them can't be used."""
        first = int(self._monotonic() // 60) - MINUTES
        with self._lock:
            kept = [counts for minute, counts in self._recent[model, stream].items() if minute > first]
        return sum(rows for rows, _ in kept), sum(unusable for _, unusable in kept)

    def example(self, model: str, kinds: frozenset[WarningKind]) -> str:
        """Return a sentence about the most frequent of these kinds; empty without any."""
        with self._lock:
            found = self._seen[model]
            worst = max(kinds & found.counts.keys(), key=lambda kind: found.counts[kind], default=None)
            return "" if worst is None else found.examples[worst]

    def shown(self, model: str) -> list[dict[str, object]]:
        """Return every kind of a model since the start, with its count and one example."""
        with self._lock:
            found = self._seen.get(model)
            return plain(found.counts.items(), found.examples) if found else []

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the counts by model and kind, without what rows hold."""
        with self._lock:
            return {
                model: {kind.value: count for kind, count in own.counts.items()}
                for model, own in self._seen.items()
                if own.counts
            }
