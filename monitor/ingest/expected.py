"""What a model's rows are expected to hold: its classes, its features. Checked by columns, at a few microseconds a
batch, since every batch is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

from checks.data.canonical_text import read_number, spellings, text
from checks.data.classes import may_be_class
from checks.data.schema import Schema
from checks.suggest import nearest
from monitor.ingest.text import quoted
from monitor.ingest.warnings import WarningKind, Warnings

REMEMBERED = 10_000
"""Values that are known to be good."""
SLACK = 1e-6
"""How far a probability may pass 0 and 1: sums of 32-bit floats do."""
LISTED = 6
COMPARED = 200
"""Missing features that an unknown one is compared with."""
_NUMBERS = {int, float}


class Expected:
    """The values that a schema lets one expect; any at all without one (None)."""

    def __init__(self, schema: Schema | None = None) -> None:
        task = schema.task if schema else None
        self._schema = schema or Schema(None, ())
        self._other = spellings(self._schema.classes)
        self._classes = task in ("binary", "multiclass") and bool(self._schema.classes)
        self._scores = (
            self._classes and self._schema.score is not None and self._schema.score == self._schema.prediction
        )
        self._amounts = task == "regression"
        self._good: set[Any] = set()
        self._features = {name for name, _ in self._schema.features}
        self._names: tuple[frozenset[str], str | None] = (frozenset(), None)
        self._known = self._features | {name for name, _ in self._schema.excluded}

    def check_labels(self, values: Sequence[Any], found: Warnings) -> None:
        """Count the labels that are no truth."""
        if self._classes:
            self._check_classes(values, WarningKind.INVALID_LABEL, "label", found)
        elif self._amounts and not set(map(type, values)) <= _NUMBERS:
            _amounts(values, WarningKind.INVALID_LABEL, "label", found)

    def check_predictions(self, values: Sequence[Any], probabilities: Sequence[Any], found: Warnings) -> None:
        """Count the predictions that are no class or number, and the probabilities that are none."""
        kind = WarningKind.INVALID_PREDICTION
        if self._scores and set(map(type, values)) <= _NUMBERS:
            if not all(0 <= value <= 1 for value in values):
                bad = [value for value in values if not 0 <= value <= 1]
                found.add(kind, len(bad), f"prediction {bad[0]!r} is no probability; it must lie within 0 to 1")
        elif self._classes:
            self._check_classes(values, kind, "prediction", found)
        elif self._amounts and not set(map(type, values)) <= _NUMBERS:
            _amounts(values, kind, "prediction", found)
        if self._classes:
            self._check_probabilities(probabilities, found)

    def check_features(self, names: Collection[str], rows: int, found: Warnings) -> None:
        """Count rows without any feature, and those with names that look like misspelt ones."""
        if not self._features or self._features <= set(names):
            return
        if not names:
            first = ", ".join(sorted(self._features)[:LISTED])
            found.add(WarningKind.NO_FEATURES, rows, f"no features; the reference has {first}: send them in `features`")
            return
        if (said := self._misspelt(frozenset(names))) is not None:
            found.add(WarningKind.UNKNOWN_FEATURE, rows, said)

    def _misspelt(self, names: frozenset[str]) -> str | None:
        """Says which feature's name looks like that of a missing one; remembered, since the next batch is alike."""
        if names != self._names[0]:
            missing = {name.casefold(): name for name in sorted(self._features - names)[:COMPARED]}
            near = ((name, nearest(name.casefold(), missing)) for name in sorted(names - self._known)[:LISTED])
            said = None
            if (pair := next((pair for pair in near if pair[1]), None)) is not None:
                other = quoted(missing[str(pair[1])])
                said = f"feature {quoted(pair[0])} is unknown to the reference; did you mean {other}?"
            self._names = (names, said)
        return self._names[1]

    def _check_classes(self, values: Sequence[Any], kind: WarningKind, what: str, found: Warnings) -> None:
        distinct = set(values)
        if distinct <= self._good:
            return
        strange = {value for value in distinct - self._good if not self._is_class(value)}
        if len(self._good) < REMEMBERED:
            self._good |= distinct - strange
        if strange:
            bad = [value for value in values if value in strange]
            found.add(kind, len(bad), f"{what} {_shown(bad[0])} is none of the classes {self._listed()}")

    def _is_class(self, value: Any) -> bool:
        name = text(value)
        return may_be_class(self._other.get(name, name), self._schema)

    def _listed(self) -> str:
        classes = self._schema.classes
        return ", ".join(map(quoted, classes[:LISTED])) + (", …" if len(classes) > LISTED else "")

    def _check_probabilities(self, given: Sequence[Any], found: Warnings) -> None:
        kinds = set(map(type, given))
        if (
            kinds <= _NUMBERS
            and given
            and min(given) >= -SLACK
            and max(given) <= 1 + SLACK
            and self._schema.positive_class
        ):
            return
        if self._all_lists(given):
            return
        wrong = [(row, why) for row in given if row is not None and (why := self._wrong(row))]
        if wrong:
            row, why = wrong[0]
            found.add(WarningKind.INVALID_PROBABILITIES, len(wrong), f"probabilities {quoted(str(row))}: {why}")

    def _all_lists(self, given: Sequence[Any]) -> bool:
        """Return whether all are lists of the right length and of shares, at a tenth of what a look at each costs."""
        if set(map(type, given)) != {list} or set(map(len, given)) != {len(self._schema.classes)}:
            return False
        every: list[float] = list(chain.from_iterable(given))
        return min(every) >= -SLACK and max(every) <= 1 + SLACK

    def _wrong(self, row: Any) -> str:
        classes, binary = self._schema.classes, bool(self._schema.positive_class)
        if isinstance(row, dict):
            known = {self._other.get(name, name) for name in row}
            if not (known & set(classes) if binary else known >= set(classes)):
                return f"a class is missing; the classes are {self._listed()}"
            row = row.values()
        elif isinstance(row, list):
            if len(row) != len(classes) and not (binary and len(row) in (1, 2)):
                return f"{len(row)} values for {len(classes)} classes"
        elif not binary:
            return f"one value for {len(classes)} classes; send one for each"
        else:
            row = (row,)
        return "" if all(-SLACK <= value <= 1 + SLACK for value in row) else "they must lie within 0 to 1"


ANYTHING = Expected()
"""What is expected before a model's reference is known."""


def _amounts(values: Sequence[Any], kind: WarningKind, what: str, found: Warnings) -> None:
    bad = [value for value in values if not _is_amount(value)]
    if bad:
        found.add(kind, len(bad), f"{what} {_shown(bad[0])} is no number")


def _is_amount(value: Any) -> bool:
    number = None if isinstance(value, bool) else read_number(value)
    return number is not None and math.isfinite(number)


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else text(value)


def note_keys(unknown: Counter[str], keys: Iterable[str]) -> None:
    """Count these keys, of which there may be very many, as far as they can be shown."""
    for key in keys:
        if key in unknown or len(unknown) < LISTED:
            unknown[key] += 1


def check_keys(unknown: Counter[str], known: Collection[str], rows: int, found: Warnings, features: bool) -> None:
    """Count rows with keys that nothing reads. `features`: whether any row has features, or needs none."""
    ((name, count),) = unknown.most_common(1)
    near = nearest(name.casefold(), known)
    hint = f"did you mean {quoted(near)}?" if near else f"the keys are {', '.join(known)}"
    found.add(WarningKind.UNKNOWN_KEY, count, f"nothing reads the key {quoted(name)}; {hint}")
    if rows and not features and WarningKind.NO_FEATURES not in found.counts:
        listed = ", ".join(map(quoted, unknown))
        found.add(WarningKind.NO_FEATURES, rows, f"no features, but the keys {listed}: send features in `features`")
