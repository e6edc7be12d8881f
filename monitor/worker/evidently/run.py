"""One run of Evidently over two frames: what it makes of them, and the columns that it can't take.

In Evidently one column that fails, such as one without a value, takes the whole report with it. So the others are found
by halving, and reported on without it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from checks.data.schema import Schema
from monitor.worker.evidently.catalog import CatalogItem, ReportError, unknown_columns

OUTCOME = ("target", "prediction", "score")
MOST_BAD = 50
"""With more columns that fail, it is not the columns."""


class ReportRun:
    """Items over a window's rows and the reference's."""

    def __init__(
        self, items: Sequence[CatalogItem], schema: Schema, current: pd.DataFrame, normal: pd.DataFrame
    ) -> None:
        self._items, self._schema = items, schema
        self._current, self._normal = current, normal
        self._scores = any(item.scores for item in items)
        both = set(current.columns) & set(normal.columns)
        self._kinds: dict[str, str] = {name: kind for name, kind in schema.watched if name in both}
        # Where labels are looked at, the outcome is one; else its columns are as any other.
        self._fixed = [name for name in OUTCOME if name in both - self._kinds.keys()] if self._scores else []
        if not self._scores:
            number = "numeric" if schema.task == "regression" else "categorical"
            outcome = {"prediction": number, "score": "numeric"}
            self._kinds |= {name: kind for name, kind in outcome.items() if name in both - self._kinds.keys()}
        self._bad: dict[str, str] = {}

    def snapshot(self) -> tuple[Any, dict[str, str]]:
        """Evidently's result, and the columns that had to be left out of it, each with its error. Raises ReportError
        where it is not the fault of some columns."""
        if wrong := unknown_columns(self._items, [*self._kinds, *self._fixed]):
            raise ReportError(wrong[0])
        columns = list(self._kinds)
        try:
            return self._over(columns), {}
        except Exception as error:
            if not self._search(columns):
                raise ReportError(f"Evidently: {_told(error)}") from error
        return self._over([name for name in columns if name not in self._bad]), self._bad

    def names(self, column: str) -> list[str]:
        """The items that name the column; all that name none, if there is no such."""
        own = [item.name for item in self._items if column in item.columns]
        return own or [item.name for item in self._items if not item.columns]

    def _search(self, columns: list[str]) -> bool:
        """Looks for the columns that fail; whether they, and not all of them, do."""
        try:
            if self._scores:
                self._over([])
            for half in _halves(columns):
                self._look(half)
        except Exception:  # noqa: BLE001 - it fails without them, too
            return False
        return 0 < len(self._bad) < len(columns)

    def _look(self, columns: list[str]) -> None:
        try:
            self._over(columns)
        except Exception as error:
            # Whatever a column's values make it raise is that column's error.
            if len(columns) > 1:
                for half in _halves(columns):
                    self._look(half)
                return
            self._bad[columns[0]] = _told(error)
            if len(self._bad) > MOST_BAD:
                raise

    def _over(self, columns: Sequence[str]) -> Any:
        from evidently import Dataset, Report

        # An item that names a column which is left out is left out, too.
        here = {*columns, *self._fixed}
        made = [item.made for item in self._items if here.issuperset(item.columns)]
        definition = self._definition(columns)
        kept = [name for name in self._current.columns if name in here]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sets = [Dataset.from_pandas(frame[kept], definition) for frame in (self._current, self._normal)]
            return Report(made).run(*sets)

    def _definition(self, columns: Sequence[str]) -> Any:
        from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression

        schema, tasks = self._schema, {}
        if {"target", "prediction"} <= set(self._fixed):
            outcome = {"target": "target", "prediction_labels": "prediction"}
            if schema.task == "binary":
                score = "score" if "score" in self._fixed else None
                positive = schema.positive_class or "1"
                binary = BinaryClassification(**outcome, prediction_probas=score, pos_label=positive)
                tasks["classification"] = [binary]
            elif schema.task == "multiclass":
                tasks["classification"] = [MulticlassClassification(**outcome)]
            elif schema.task == "regression":
                tasks["regression"] = [Regression(target="target", prediction="prediction")]
        return DataDefinition(
            numerical_columns=[name for name in columns if self._kinds[name] == "numeric"],
            categorical_columns=[name for name in columns if self._kinds[name] != "numeric"],
            **tasks,
        )


def _halves(columns: list[str]) -> list[list[str]]:
    middle = len(columns) // 2
    return [half for half in (columns[:middle], columns[middle:]) if half]


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
