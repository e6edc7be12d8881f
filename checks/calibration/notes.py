"""What people should know about how a reference was made, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from checks.base import labels
from checks.calibration.reference_windows import FEWEST, FEWEST_ROWS
from checks.reference import Reference


def notes(made: Reference, every: float, *, timed: bool, told_apart: bool) -> Iterator[str]:
    """`timed`: its rows have times; `told_apart`: they fill enough windows of `every` seconds to show how those
    differ."""
    if not timed:
        yield (
            "The reference has no time column, so its limits know the chance of sampling alone, not how windows differ "
            "through the day and week; expect more alerts than with one."
        )
    elif not told_apart:
        yield (
            f"The reference has fewer than {FEWEST} windows of {every:g} s with at least {FEWEST_ROWS} rows, "
            "so its limits know the chance of sampling alone, not how windows differ through the day and week."
        )
    if made.profile.errors:
        name, error = next(iter(made.profile.errors.items()))
        more = f", and so with {len(made.profile.errors) - 1} more" if len(made.profile.errors) > 1 else ""
        yield f"Column {name[2:] or name} can't be watched ({error}){more}; convert it, or list it under `ignore`."
    blind = [name[2:] for name in made.binning.columns if _blind(name, made)]
    if blind:
        names = ", ".join(blind[:10])
        names += f" and {len(blind) - 10} more" if len(blind) > 10 else ""
        yield (
            f"Windows of the reference already differ among themselves as much as they could in {names}, so no single "
            "window can show drift there; name whole days or weeks in checks.drift.lookback, or derive a feature that "
            "does not follow the clock."
        )
    if made.schema.task is None:
        yield "The reference has neither predictions nor a target, so only features are watched."
    elif not made.schema.target:
        yield "The reference has no target, so there is no performance to compare with."


def _blind(name: str, made: Reference) -> bool:
    """Whether no window of the usual size could pass the feature's limit."""
    if not name.startswith("f:"):
        return False
    limit = made.calibration.limits.get(("feature_drift", labels(feature=name[2:], method="psi")))
    rows = 0 if limit is None else round(limit.rows)
    return limit is not None and limit.silent(rows, limit.at(rows)) is not None
