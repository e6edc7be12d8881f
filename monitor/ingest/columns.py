"""Predictions in columns, filled some rows at a time, so that no step takes long and no row is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from monitor.ingest.expected import Expected
from monitor.ingest.warnings import Warnings

_TOGETHER = 1000
_encoder = msgspec.msgpack.Encoder()


class Filled(Protocol):
    """What is read of a row."""

    id: str
    prediction: Any
    features: dict[str, Any]
    probabilities: Any
    latency_seconds: float | None
    version: str | None
    tags: dict[str, str] | None


class PayloadColumns:
    """The columns of one body; every one has as many values as there are rows."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._features: dict[str, list[Any]] = {}
        self._plain: dict[str, list[Any]] = {
            name: [] for name in ("id", "prediction", "probabilities", "latency", "version", "tags")
        }

    def __len__(self) -> int:
        return len(self.times)

    @property
    def names(self) -> int:
        return len(self._features)

    def check(self, expected: Expected, found: Warnings) -> None:
        """Add what is odd about the rows."""
        plain = self._plain
        expected.check_predictions(plain["prediction"], plain["probabilities"], found)
        expected.check_features(self._features.keys(), len(self), found)

    def add(self, rows: Sequence[Filled], times: list[float], names: Sequence[str]) -> None:
        """More rows; `names` are those of all their features."""
        before = len(self)
        for name, column in _features(rows, names).items():
            if name not in self._features:
                self._features[name] = [None] * before
            self._features[name] += column
        self.times += times
        for column in self._features.values():
            if len(column) < len(self):
                column += [None] * len(rows)
        plain = self._plain
        plain["id"] += [row.id for row in rows]
        plain["prediction"] += [row.prediction for row in rows]
        plain["probabilities"] += [row.probabilities for row in rows]
        plain["latency"] += [row.latency_seconds for row in rows]
        plain["version"] += [row.version for row in rows]
        plain["tags"] += [row.tags for row in rows]

    def payload(self) -> bytes:
        """As `msgpack-columns/1`."""
        plain, packed = self._plain, _packed if len(self) > _TOGETHER else _as_it_is
        optional = {name: plain[name] for name in ("probabilities", "latency", "version", "tags")}
        return _encoder.encode(
            {
                "id": packed(plain["id"]),
                "time": packed(self.times),
                "features": {name: packed(column) for name, column in self._features.items()},
                "prediction": packed(plain["prediction"]),
                **{name: None if _absent(column) else packed(column) for name, column in optional.items()},
            }
        )


def feature_names(rows: Sequence[Filled]) -> list[str]:
    """Every feature's name, in order of appearance."""
    names = list(rows[0].features)
    if _alike([row.features for row in rows], names):
        return names
    return list(dict.fromkeys(name for row in rows for name in row.features))


def _features(rows: Sequence[Filled], names: Sequence[str]) -> dict[str, Any]:
    features = [row.features for row in rows]
    if _alike(features, names):
        return dict(zip(names, zip(*[row.values() for row in features], strict=True), strict=True))
    return {name: [row.get(name) for row in features] for name in names}


def _alike(features: list[dict[str, Any]], names: Sequence[str]) -> bool:
    """Whether every row has exactly these names in this order, as rows of one client mostly do."""
    return list(map(list, features)).count(list(names)) == len(features)


def _packed(column: list[Any]) -> Any:
    # A column at a time: one call for all of a large body would hold up everything else.
    return msgspec.Raw(_encoder.encode(column))


def _as_it_is(column: list[Any]) -> Any:
    return column


def _absent(column: list[Any]) -> bool:
    return column.count(None) == len(column)
