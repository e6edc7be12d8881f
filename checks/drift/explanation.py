"""What moved in a column between the reference and now: bins with what each adds to the distance, means, missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import wording
from checks.data.arrow import Floats
from checks.drift.contributions import contributions
from checks.pictures.distribution import Distribution
from checks.profile import CategoryBins, CategoryColumn, NumberBins, NumberColumn
from checks.profile.binning import Bins
from checks.profile.summary import Column

MOVED = 3  # bins named to people


def explained(name: str, bins: Bins, normal: Column, now: Column, rows: tuple[int, int], method: str) -> dict[str, Any]:
    """A column's `moved` (the bins that add most to the distance), `mean`, `missing`, `new` and `why`, a sentence that
    begins with `name`. `rows` are all rows of both sides. JSON-ready, small."""
    before, after = _shares(bins, normal), _shares(bins, now)
    detail: dict[str, Any] = {"moved": _moved(bins.inner_names, before, after, method)}
    missing = _missing(normal, rows[0]), _missing(now, rows[1])
    detail["missing"] = {"reference": round(missing[0], 4), "current": round(missing[1], 4)}
    if isinstance(normal, NumberColumn) and isinstance(now, NumberColumn) and before.any() and after.any():
        detail["mean"] = {"reference": float(f"{normal.mean:.6g}"), "current": float(f"{now.mean:.6g}")}
    elif isinstance(now, CategoryColumn) and now.examples:
        detail["new"] = list(now.examples)[:MOVED]
    detail["why"] = f"{name}: {why(bins, normal, now, rows)}"
    return detail


def why(bins: Bins, normal: Column, now: Column, rows: tuple[int, int]) -> str:
    """What moved, as one sentence without the column's name; empty where a side has no value and nothing is missing."""
    parts = []
    before, after = _shares(bins, normal), _shares(bins, now)
    if before.any() and after.any():
        if isinstance(bins, NumberBins):
            parts.append(wording.of_numbers(_bounds(bins), before.tolist(), after.tolist()))
        else:
            new = list(now.examples) if isinstance(now, CategoryColumn) else []
            parts.append(wording.of_categories(bins.inner_names, before.tolist(), after.tolist(), new))
        if isinstance(normal, NumberColumn) and isinstance(now, NumberColumn):
            parts.append(wording.mean_words(normal.mean, now.mean))
    parts.append(wording.missing_words(_missing(normal, rows[0]), _missing(now, rows[1])))
    return "; ".join(part for part in parts if part)


def distribution(name: str, bins: Bins, normal: Column, now: Column, rows: tuple[int, int]) -> Distribution:
    """The column for a picture: what lies outside the reference's range stands apart where there is any."""
    told = why(bins, normal, now, rows)
    if isinstance(bins, CategoryBins):
        before, after = _shares(bins, normal), _shares(bins, now)
        held = [place for place in range(len(before)) if before[place] or after[place]]
        order = sorted(held, key=lambda place: (place >= len(bins.own), -before[place], -after[place]))
        names = tuple(bins.names[place] for place in order)
        return Distribution(name, False, names, _plain(before[order]), _plain(after[order]), (), told)
    return _of_numbers(name, bins, normal, now, told)


def _of_numbers(name: str, bins: NumberBins, normal: Column, now: Column, told: str) -> Distribution:
    counts = [np.asarray(side.counts, np.float64) for side in (normal, now)]
    below, above = (any(side[place] for side in counts) for place in (0, -1))
    shown = slice(0 if below else 1, None if above else -1)
    edges = list(bins.edges) or [0.0]
    if isinstance(normal, NumberColumn) and normal.finite and len(edges) > 1:
        # The outer edges lie beside the range, for values that lost their last digits on the way.
        half = 0.5 if wording.whole(edges[1:-1]) else 0.0
        edges[0], edges[-1] = min(normal.low - half, edges[1]), max(normal.high + half, edges[-2])
    bounds = tuple([-np.inf, *edges, np.inf][0 if below else 1 : None if above else -1])
    before, after = (side[shown] / max(side.sum(), 1) for side in counts)
    return Distribution(name, True, tuple(wording.bin_names(bounds)), _plain(before), _plain(after), bounds, told)


def _shares(bins: Bins, column: Column) -> Floats:
    counts = np.asarray(bins.inner(column.counts), np.float64)
    shares: Floats = counts / max(counts.sum(), 1.0)
    return shares


def _plain(shares: Floats) -> tuple[float, ...]:
    return tuple(shares.tolist())


def _moved(names: list[str], before: Floats, now: Floats, method: str) -> list[dict[str, Any]]:
    """The bins that add most to the distance."""
    parts = contributions(method, before, now)
    order = np.argsort(-parts, kind="stable")[:MOVED]
    return [
        {
            "bin": names[place],
            "reference": round(float(before[place]), 4),
            "current": round(float(now[place]), 4),
            "contribution": round(float(parts[place]), 3),
        }
        for place in order.tolist()
    ]


def _bounds(bins: NumberBins) -> list[float]:
    """The ends of the inner bins."""
    if len(bins.edges) <= 2:
        return [-np.inf, *(bins.edges or (0.0,)), np.inf]
    return [-np.inf, *bins.edges[1:-1], np.inf]


def _missing(column: Column, rows: int) -> float:
    """The share of rows without a value; NaN counts as none, as in the check of missing values."""
    gone = column.missing + (column.nan if isinstance(column, NumberColumn) else 0)
    return gone / max(rows, 1)
