"""Evidently's presets and metrics, by the names and options that the config gives."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from checks.suggest import did_you_mean
from monitor.worker.evidently.messages import PRESETS, MetricNames


class ReportError(Exception):
    """The report can't be made; one sentence."""


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """A preset or metric, with the columns that its options name: none for one that takes all there are."""

    made: Any
    name: str
    columns: tuple[str, ...] = ()

    @property
    def scores(self) -> bool:
        """Whether it holds predictions against labels."""
        module = type(self.made).__module__.rpartition(".")[2]
        return module in ("classification", "regression")


def items(preset: str | None, metrics: MetricNames, options: Mapping[str, Any]) -> list[CatalogItem]:
    """What a check names. Raises ReportError for what Evidently does not have or take."""
    if preset is not None:
        return [_item(preset, options, PRESETS)]
    pairs = [(item, {}) if isinstance(item, str) else next(iter(item.items())) for item in metrics]
    every = [*PRESETS, *_kinds()]
    return [_item(name, given or {}, every) for name, given in pairs]


def unknown_columns(found: Iterable[CatalogItem], known: Collection[str]) -> list[str]:
    """What is wrong with the columns that items name, one sentence each."""
    wrong = [(item.name, column) for item in found for column in item.columns if column not in known]
    return [f"{name} names column {column!r}, which the model has not{_hint(column, known)}" for name, column in wrong]


def _kinds() -> dict[str, type[Any]]:
    import evidently.metrics
    import evidently.presets
    from evidently.core.container import MetricContainer
    from evidently.core.metric_types import Metric

    members = {**vars(evidently.metrics), **vars(evidently.presets)}
    return {
        name: kind
        for name, kind in members.items()
        if isinstance(kind, type) and issubclass(kind, Metric | MetricContainer) and not inspect.isabstract(kind)
    }


def _item(name: str, given: Mapping[str, Any], allowed: Collection[str]) -> CatalogItem:
    kinds = _kinds()
    if name not in allowed or name not in kinds:
        what = "preset" if allowed is PRESETS else "preset or metric"
        raise ReportError(f"Evidently has no {what} {name!r}{_hint(name, allowed)}")
    kind = kinds[name]
    # Its metrics would take, and ignore, any option.
    takes = set(inspect.signature(kind).parameters) - {"type"}
    if unknown := [option for option in given if option not in takes]:
        raise ReportError(f"{name} has no option {unknown[0]!r}{_hint(unknown[0], takes)}")
    try:
        made = kind(**given)
    except (TypeError, ValueError) as error:
        text = " ".join(line.strip() for line in str(error).splitlines()[1:]) or str(error)
        raise ReportError(f"{name} does not take these options: {text}") from None
    column, columns = given.get("column"), given.get("columns")
    named = [column] if isinstance(column, str) else columns if isinstance(columns, list) else []
    return CatalogItem(made, name, tuple(str(name) for name in named))


def _hint(word: str, known: Collection[str]) -> str:
    return did_you_mean(word, known, f"there are {', '.join(sorted(known))}")
