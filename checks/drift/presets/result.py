"""What an exact comparison of one column gives: the number that the preset's library gives, and what it makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "categorical", "boolean"]
Statistic = Literal["distance", "p_value"]


@dataclass(frozen=True, slots=True)
class ColumnResult:
    """One column by one method. With an `error` there is no value: it is this column's alone."""

    method: str
    """As the library names it: `ks`, `wasserstein` …; empty where an error came before the choice."""
    statistic: Statistic
    """Drift is a large distance, or a small p-value."""
    value: float | None
    threshold: float | None
    """A distance above it, or a p-value below it, is drift; what equals it is decided as the library does."""
    drifted: bool | None
    n_reference: int
    """Rows that the value rests on, after what the library leaves out."""
    n_current: int
    error: str | None = None
    """One sentence, where there is no value."""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.error is not None) or (self.value is None) != (self.drifted is None):
            raise ValueError(f"{self.method}: a result has either a value and a verdict, or an error")

    @property
    def limit_high(self) -> float | None:
        """What rules hold a distance against."""
        return self.threshold if self.statistic == "distance" else None

    @property
    def limit_low(self) -> float | None:
        """What rules hold a p-value against."""
        return self.threshold if self.statistic == "p_value" else None


EVIDENTLY_SHARE = 0.5  # of the columns, at which its DataDriftPreset calls a data set drifted


def dataset_drifted(results: list[ColumnResult], share: float = EVIDENTLY_SHARE) -> bool:
    """Whether at least this share of the columns that have a verdict drifted, as in Evidently's DataDriftPreset."""
    known = [result.drifted for result in results if result.drifted is not None]
    return bool(known) and sum(known) / len(known) >= share
