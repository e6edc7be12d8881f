"""The demo's model: will a flight arrive more than 15 minutes late? Trained anew in under a second, never unpickled."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from monitor.demo.data import CATEGORICAL, FEATURES, between, write
from monitor.demo.story import TRAINING

THRESHOLD = 0.5
FOLDS = 5

Array = npt.NDArray[np.float64]


class Delays:
    """Gradient boosting over the features; categories keep the codes that the training rows gave them."""

    def __init__(self, rows: pa.Table) -> None:
        """Trains on those of `rows` that have a label."""
        rows = rows.filter(pc.is_valid(rows["late"]))
        self._threads = ThreadpoolController()
        self._codes = {
            name: {value: float(code) for code, value in enumerate(sorted(pc.unique(rows[name]).to_pylist()))}
            for name in CATEGORICAL
        }
        self._classifier = HistGradientBoostingClassifier(
            categorical_features=[FEATURES.index(name) for name in CATEGORICAL],
            learning_rate=0.05,
            max_iter=100,
            max_leaf_nodes=15,
            early_stopping=False,
            random_state=2013,
        )
        columns = {name: rows[name].to_pylist() for name in FEATURES}
        with self._one_thread():
            self._classifier.fit(self._matrix(columns, rows.num_rows), rows["late"].to_numpy())

    def scores(self, columns: Mapping[str, Sequence[Any]], n: int) -> Array:
        """The probability of being late, for `n` rows given by column. What is missing or unknown may be None."""
        with self._one_thread():
            probabilities = self._classifier.predict_proba(self._matrix(columns, n))
        return np.asarray(probabilities[:, 1], dtype=np.float64)

    def _one_thread(self) -> AbstractContextManager[object]:
        """OpenMP's threads wait for each other by spinning: on shared cores a second's work then takes minutes."""
        limited: AbstractContextManager[object] = self._threads.limit(limits=1, user_api="openmp")
        return limited

    def _matrix(self, columns: Mapping[str, Sequence[Any]], n: int) -> Array:
        matrix = np.full((n, len(FEATURES)), np.nan)
        for position, name in enumerate(FEATURES):
            values: Sequence[Any] = columns[name]
            if (codes := self._codes.get(name)) is not None:
                values = [codes.get(value) for value in values]
            matrix[:, position] = np.array(values, dtype=np.float64)
        return matrix


def reference(rows: pa.Table) -> pa.Table:
    """What is normal: the training rows with predictions of models that did not see them.

    Days are dealt to the folds in turn, and each fold is predicted by a model trained on the others; a model judged
    on its own training rows would promise an accuracy that it never has again.
    """
    rows = rows.filter(pc.is_valid(rows["late"]))
    fold = (rows["time"].to_numpy() // 86_400).astype(np.int64) % FOLDS
    score = np.empty(rows.num_rows)
    for number in range(FOLDS):
        held = fold == number
        rest, seen = rows.filter(pa.array(~held)), rows.filter(pa.array(held))
        score[held] = Delays(rest).scores({name: seen[name].to_pylist() for name in FEATURES}, seen.num_rows)
    table = rows.select(["id", "time", *FEATURES])
    table = table.append_column("target", rows["late"])
    table = table.append_column("prediction", pa.array((score > THRESHOLD).astype(np.int8)))
    return table.append_column("score", pa.array(score))


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the reference file, in a process of its own: scikit-learn takes seconds and 100 MB to import."""
    parser = argparse.ArgumentParser(prog="python -m monitor.demo.train")
    parser.add_argument("--flights", type=Path, required=True, help="the Parquet file that monitor.demo.data makes")
    parser.add_argument("--reference", type=Path, required=True, help="the file to write")
    options = parser.parse_args(arguments)
    write(reference(between(pq.read_table(options.flights), *TRAINING)), options.reference)


if __name__ == "__main__":
    main()
