"""The performance metrics by their names. A new one is its function and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from checks.base import Estimate, NotEnough
from checks.inputs import Scored
from checks.performance.classification import accuracy, decided, f1, precision, recall
from checks.performance.probability import graded, log_loss, roc_auc
from checks.performance.regression import mae, rmse


@dataclass(frozen=True, slots=True)
class PerformanceMetric:
    """One figure; None from `of` means that the rows do not allow it, for `why` if there are any to rest on."""

    of: Callable[[Scored], Estimate | None]
    higher_is_better: bool
    floor: float
    """The smallest change worth an alarm: absolute for shares, relative to the reference for losses and errors."""
    needs: str = ""
    """`probabilities` where predicted classes are not enough."""
    why: NotEnough = NotEnough.ONE_CLASS
    """What the rows lack where there is no figure."""

    def rows(self, scored: Scored) -> int:
        """Return how many rows the figure can rest on."""
        if not scored.classification:
            return scored.n
        return graded(scored) if self.needs else decided(scored)


CLASSIFICATION: dict[str, PerformanceMetric] = {
    "accuracy": PerformanceMetric(accuracy, True, 0.02),
    "precision": PerformanceMetric(precision, True, 0.02),
    "recall": PerformanceMetric(recall, True, 0.02),
    "f1": PerformanceMetric(f1, True, 0.02),
    "roc_auc": PerformanceMetric(roc_auc, True, 0.02, "probabilities"),
    "log_loss": PerformanceMetric(log_loss, False, 0.05, "probabilities", NotEnough.INVALID_PROBABILITIES),
}
REGRESSION: dict[str, PerformanceMetric] = {
    "mae": PerformanceMetric(mae, False, 0.05),
    "rmse": PerformanceMetric(rmse, False, 0.05),
}


def metrics(scored: Scored) -> dict[str, PerformanceMetric]:
    """The metrics that these rows' task and columns allow."""
    if not scored.classification:
        return REGRESSION
    given = scored.score is not None or scored.probabilities is not None
    return {name: metric for name, metric in CLASSIFICATION.items() if given or not metric.needs}
