"""What really happened to the flights and the model: computed from the rows themselves, not by Watchkeeper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.demo.data import CATEGORICAL, FEATURES, between


class Facts:
    """Compares a span of the replay with the reference. `predicted` maps ids to what the server answered."""

    def __init__(self, flights: pa.Table, reference: pa.Table, predicted: Mapping[str, int]) -> None:
        self._flights = flights
        self._reference = reference
        self._predicted = predicted

    def explain(self, metric: str, feature: str, start: float, end: float) -> str:
        """One sentence on what the rows of [start, end) were like, as far as it bears on this metric."""
        rows = between(self._flights, start, end)
        if not rows.num_rows:
            return "no flights in this time"
        if metric == "performance":
            return self._accuracy(rows)
        if metric == "prediction_drift":
            return self._predictions(rows)
        if metric == "new_category_ratio" and feature in CATEGORICAL:
            return self._new(rows, feature)
        if feature in CATEGORICAL:
            return self._shares(rows, feature)
        if feature in FEATURES:
            return self._mean(rows, feature)
        return ""

    def accuracy(self, start: float, end: float) -> tuple[float, int]:
        """The share of right answers among the flights of [start, end) that have a label, and their number."""
        return self._right(between(self._flights, start, end))

    def _right(self, rows: pa.Table) -> tuple[float, int]:
        rows = rows.filter(pc.is_valid(rows["late"]))
        answers = [self._predicted.get(id) for id in rows["id"].to_pylist()]
        right = [answer == late for answer, late in zip(answers, rows["late"].to_pylist(), strict=True)]
        return (float(np.mean(right)) if right else float("nan")), len(right)

    def _accuracy(self, rows: pa.Table) -> str:
        accuracy, n = self._right(rows)
        usual = pc.mean(pc.equal(self._reference["target"], self._reference["prediction"])).as_py()
        late = pc.mean(rows["late"]).as_py()
        return (
            f"really {accuracy:.3f} over {n:,} flights ({usual:.3f} in the reference); "
            f"{late:.0%} were late ({pc.mean(self._reference['target']).as_py():.0%})"
        )

    def _predictions(self, rows: pa.Table) -> str:
        answers = [self._predicted.get(id, 0) for id in rows["id"].to_pylist()]
        usual = pc.mean(self._reference["prediction"]).as_py()
        return f"'late' was predicted for {np.mean(answers):.1%} of flights ({usual:.1%} in the reference)"

    def _mean(self, rows: pa.Table, feature: str) -> str:
        values, usual = pc.mean(rows[feature]).as_py(), pc.mean(self._reference[feature]).as_py()
        return f"the true mean of {feature} was {values:.4g} ({usual:.4g} in the reference)"

    def _shares(self, rows: pa.Table, feature: str) -> str:
        now, usual = _shares(rows, feature), _shares(self._reference, feature)
        moved = max(now.keys() | usual.keys(), key=lambda value: abs(now.get(value, 0) - usual.get(value, 0)))
        return f"{feature} {moved} made {now.get(moved, 0):.1%} of flights ({usual.get(moved, 0):.1%} in the reference)"

    def _new(self, rows: pa.Table, feature: str) -> str:
        now, usual = _shares(rows, feature), _shares(self._reference, feature)
        new = {value: share for value, share in now.items() if value not in usual}
        named = ", ".join(f"{value} {share:.1%}" for value, share in sorted(new.items(), key=lambda item: -item[1])[:4])
        return f"{feature} never seen in the reference: {named or 'none'}"


def _shares(rows: pa.Table, feature: str) -> dict[str, float]:
    counts = pc.value_counts(rows[feature].combine_chunks()).to_pylist()
    return {item["values"]: item["counts"] / rows.num_rows for item in counts}
