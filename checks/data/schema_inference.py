"""Infer the schema of a model from the columns of its reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import get_args

import pyarrow as pa

from checks.data.arrow import is_number
from checks.data.canonical_text import spellings, text
from checks.data.classes import stated_classes
from checks.data.column_contents import MAX_CLASSES, ColumnContents, ColumnReader
from checks.data.datetime_parts import part_names
from checks.data.schema import FeatureType, Schema, SchemaError, SchemaOverrides, Task
from checks.data.usual_names import (
    PREFIXES,
    PROBABILITY_PREFIXES,
    PROBABILITY_SUFFIXES,
    USUAL,
    Role,
    answers_of,
    estimates_of,
    key,
)
from checks.suggest import nearest

NEGATIVE = {"0": "1", "false": "true", "no": "yes", "No": "Yes", "n": "y", "N": "Y", "negative": "positive"}
FEW_CLASSES = 20  # whole numbers with more distinct values are amounts, not classes


def infer(table: ColumnReader, overrides: SchemaOverrides | None = None) -> Schema:
    """The schema of a reference. Raises SchemaError naming the columns that are wrong or missing."""
    return _Inference(table, overrides or SchemaOverrides()).schema()


def infer_features(
    table: ColumnReader, overrides: SchemaOverrides
) -> tuple[tuple[tuple[str, FeatureType], ...], tuple[tuple[str, str], ...]]:
    """Every column as a feature with its type, or with the reason why it is none."""
    inference = _Inference(table, overrides)
    return tuple(inference.features()), tuple(inference.excluded)


def infer_layout(
    table: ColumnReader, overrides: SchemaOverrides
) -> tuple[tuple[tuple[str, FeatureType], ...], tuple[tuple[str, str], ...], str | None, str | None]:
    """Every column but the time and the id as a feature with its type, or with the reason why it is none; and the names
    of the time and the id. Raises SchemaError for names that the table lacks."""
    inference = _Inference(table, overrides)
    time, id_ = inference.order()
    features = tuple(inference.features())
    return features, tuple(inference.excluded), time, id_


class _Inference:
    def __init__(self, table: ColumnReader, overrides: SchemaOverrides) -> None:
        names: list[str] = table.column_names
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SchemaError(f"column {twice[0]!r} stands twice in the reference; rename one of them")
        self.table, self.given, self.names = table, overrides, names
        self.columns = ColumnContents(table)
        self.stated = stated_classes(overrides)
        self.taken: set[str] = set()
        self.excluded: list[tuple[str, str]] = []

    def schema(self) -> Schema:
        given = self.given
        time, id_ = self.order()
        target = self._role(given.target, "target", self.columns.is_scalar)
        prediction = self._role(given.prediction, "prediction", self.columns.is_scalar)
        prediction = prediction or self._estimate(target)
        target = target or self._answer(prediction)
        score = self._role(given.score, "score", self.columns.is_probability)
        probabilities = self._probabilities(target, prediction)
        draft = Schema(given.task, (), target, prediction, score, "", (), probabilities, id_, time)
        draft = self._outcome(draft)
        if target and not (prediction or draft.score or probabilities):
            self._ask_for_prediction(target)
        features = tuple(self.features())
        if not features and not prediction:
            raise SchemaError(f"the reference has nothing to watch: its columns are {_listed(self.names)}")
        return replace(draft, features=features, excluded=tuple(self.excluded))

    def order(self) -> tuple[str | None, str | None]:
        """The columns that say when and which row it is."""
        self._check_names()
        time = self._role(self.given.time, "time", self.columns.is_time)
        return time, self._role(self.given.id, "id", self.columns.is_id)

    # names

    def _check_names(self) -> None:
        given = self.given
        roles = (given.target, given.prediction, given.score, given.id, given.time)
        wanted = [*filter(None, roles), *given.features, *given.ignore]
        wanted += given.probabilities.values()
        unknown = [name for name in dict.fromkeys(wanted) if name not in self.names]
        if unknown:
            hints = ", ".join(f"{name!r}{_nearest(name, self.names)}" for name in unknown)
            raise SchemaError(f"the reference has no column {hints}; its columns are {_listed(self.names)}")
        singles = [name for name in roles if name and name != given.prediction]
        if twice := sorted({name for name in singles if singles.count(name) > 1}):
            raise SchemaError(f"the schema gives column {twice[0]!r} two roles; give each role its own column")

    def _role(self, given: str | None, role: Role, fits: Callable[[str], bool]) -> str | None:
        if given is not None:
            # A score outside 0 … 1 and a time in small numbers are odd, but what the config says counts.
            if not (fits(given) or is_number(self.columns.kind(given))):
                raise SchemaError(
                    f"column {given!r} holds {self.columns.kind(given)}, which can't be a {role}; "
                    f"name another column as `{role}` under `schema`"
                )
            self.taken.add(given)
            return given
        by_key = {key(name): name for name in reversed(self._free()) if fits(name)}
        return self._take([by_key[word] for word in USUAL[role] if word in by_key])

    def _free(self) -> list[str]:
        """The columns that have no role, neither by their name nor by the config."""
        given = self.given
        said = {given.target, given.prediction, given.score, given.id, given.time, *given.ignore, *given.features}
        said |= set(given.probabilities.values())
        return [name for name in self.names if name not in said and name not in self.taken]

    def _take(self, found: list[str]) -> str | None:
        self.taken.update(found[:1])
        return found[0] if found else None

    def _estimate(self, target: str | None) -> str | None:
        """The prediction, by the target's name or by how its own begins, where only one column's does."""
        free = [name for name in self._free() if self.columns.is_scalar(name)]
        likely = [estimates_of(target, free)] if target else []
        likely.append([name for name in free if key(name).startswith(PREFIXES) and not self._is_share(name)])
        return self._take(next((found for found in likely if len(found) == 1), []))

    def _is_share(self, name: str) -> bool:
        """Whether the name speaks of a probability, which is no answer."""
        return bool({"proba", "prob", "probability", "score"} & set(key(name).split("_")))

    def _answer(self, prediction: str | None) -> str | None:
        """The target, by the prediction's name, where only one column's is like it."""
        found = answers_of(prediction, self._free()) if prediction else []
        found = [name for name in found if self.columns.is_scalar(name)]
        return self._take(found if len(found) == 1 else [])

    def _ask_for_prediction(self, target: str) -> None:
        """A prediction under an unusual name would otherwise be watched as a feature."""
        like = [name for name in self.names if name not in self.taken and "pred" in name.lower()]
        like = [name for name in like if name not in self.given.features and name not in self.given.ignore]
        if like:
            usual = _listed(USUAL["prediction"][:4])
            raise SchemaError(
                f"the reference has a target ({target!r}) but no column named {usual}; if {_listed(like)} is the "
                f"prediction, say `prediction: {like[0]}` under `schema`, else list it under `ignore` or `features`"
            )

    # the outcome

    def _probabilities(self, target: str | None, prediction: str | None) -> tuple[tuple[str, str], ...]:
        """Columns `proba_<class>`; only those whose classes the target or prediction knows, and at least two."""
        if self.given.probabilities:
            return self._stated_probabilities()
        known: set[str] | None = None
        for name in (target, prediction):
            if name is not None and (not is_number(self.columns.kind(name)) or self.columns.is_whole(name)):
                known = (known or set()) | set(self.columns.values(name))
        known = (known or set()) | set(self.stated) or None
        if known is None or len(known) > MAX_CLASSES:
            return ()
        other = spellings(known)
        folded = {word.casefold(): word for word in sorted(known, reverse=True)}
        for sure, named in self._class_names():
            named = [(other.get(word, folded.get(word.casefold(), word)), name) for word, name in named]
            fit = [(word, name) for word, name in named if word in known and self.columns.is_probability(name)]
            if len(fit) >= (2 if sure else max(2, len(known))):
                self.taken.update(name for _, name in fit)
                return tuple(fit)
        return ()

    def _class_names(self) -> Iterable[tuple[bool, list[tuple[str, str]]]]:
        """By each beginning and ending that names of probabilities have: whether such a name speaks for itself, else
        each class must have its column; and what is left of the names, with the names."""
        free = self._free()
        for prefix in PROBABILITY_PREFIXES:
            named = [(name[len(prefix) :], name) for name in free if name.lower().startswith(prefix)]
            yield not prefix.startswith("score"), named
        for suffix in PROBABILITY_SUFFIXES:
            yield False, [(name[: -len(suffix)], name) for name in free if name.lower().endswith(suffix)]

    def _stated_probabilities(self) -> tuple[tuple[str, str], ...]:
        """The columns that the config names. Raises SchemaError for one that holds no numbers."""
        for name in self.given.probabilities.values():
            if not is_number(self.columns.kind(name)):
                raise SchemaError(
                    f"column {name!r} holds {self.columns.kind(name)}, which can't be a probability; name another "
                    "column under `schema.probabilities`"
                )
        self.taken.update(self.given.probabilities.values())
        # Whether the classes are the model's is known when they are (`_outcome`).
        return tuple((text(word), name) for word, name in self.given.probabilities.items())

    def _outcome(self, draft: Schema) -> Schema:
        """Task, classes, positive class and score."""
        columns = [name for name in (draft.target, draft.prediction) if name]
        task = draft.task or self._task(draft)
        if task is None:
            return draft
        if task == "regression":
            for name in columns:
                if not is_number(self.columns.kind(name)):
                    raise SchemaError(
                        f"column {name!r} holds {self.columns.kind(name)}, but a regression needs numbers; set `task`, "
                        f"or name another column as `target` or `prediction`"
                    )
            return replace(draft, task=task, score=None, probabilities=())
        score = draft.score
        if draft.prediction and score is None and task == "binary" and self._holds_scores(draft.prediction):
            score = draft.prediction
        classes = self._classes(draft, columns, score)
        other = spellings(classes)
        probabilities = tuple((other.get(word, word), name) for word, name in draft.probabilities)
        draft = replace(draft, probabilities=tuple(sorted(probabilities, key=lambda pair: classes.index(pair[0]))))
        if task == "binary" and len(classes) > 2:
            raise SchemaError(
                f"a binary task needs two classes, but {_listed(columns)} hold {_listed(classes)}; "
                "set `task: multiclass`"
            )
        draft = replace(draft, task=task, classes=classes, score=score)
        return replace(draft, positive_class=self._positive(draft), score=score if task == "binary" else None)

    def _task(self, draft: Schema) -> Task | None:
        main = draft.target or draft.prediction
        if main is None:
            return None
        if self.stated:
            return "binary" if len(self.stated) == 2 else "multiclass"
        if draft.probabilities:
            return "binary" if len(draft.probabilities) == 2 else "multiclass"
        if is_number(self.columns.kind(main)):
            return self._numeric_task(draft, main)
        count = len(self.columns.values(main))
        return "binary" if count <= 2 else "multiclass"

    def _numeric_task(self, draft: Schema, main: str) -> Task:
        if not self.columns.is_whole(main):
            return "regression"
        classes = self.columns.values(main)
        prediction = draft.prediction
        if len(classes) <= 2 and (draft.score or prediction is None or self._holds_scores(prediction)):
            return "binary"
        if prediction and is_number(self.columns.kind(prediction)):
            if not self.columns.is_whole(prediction):
                return "regression"
            predicted = self.columns.values(prediction)
            # Whole numbers that are never hit exactly are estimates of an amount.
            if not set(predicted) & set(classes):
                return "regression"
            classes = sorted({*classes, *predicted})
        if len(classes) > FEW_CLASSES:
            return "regression"
        return "binary" if len(classes) <= 2 else "multiclass"

    def _holds_scores(self, name: str) -> bool:
        return self.columns.is_probability(name) and not self.columns.is_whole(name)

    def _classes(self, draft: Schema, columns: list[str], score: str | None) -> tuple[str, ...]:
        """The classes in the order of scikit-learn's `classes_`, which are the target's, or in the one stated."""
        seen = self._classes_seen(draft, columns, score)
        if self.stated:
            other = spellings(self.stated)
            if strange := [name for name in seen if other.get(name, name) not in self.stated]:
                held = f"{_listed(columns)} hold {_listed(strange)}"
                raise SchemaError(f"{held}, which `schema.classes` does not name; list every class")
            return self.stated
        by_value = bool(columns) and is_number(self.columns.kind(columns[0]))
        return tuple(sorted(seen, key=_value)) if by_value else tuple(sorted(seen))

    def _classes_seen(self, draft: Schema, columns: list[str], score: str | None) -> list[str]:
        found: dict[str, None] = {}
        for name in columns:
            values = self.columns.values(name) if name != score else []
            if len(values) > MAX_CLASSES:
                raise SchemaError(
                    f"column {name!r} has more than {MAX_CLASSES} classes; set `task: regression` or another column"
                )
            other = spellings(found)
            same = [other.get(value, value) for value in values]
            if found and same and not set(same) & set(found):
                raise SchemaError(
                    f"{columns[0]!r} holds {_listed(found)} and {name!r} holds {_listed(values)}: they share no "
                    "class; name the right columns as `target` and `prediction`"
                )
            found.update(dict.fromkeys(same))
        other = spellings(found)
        words = [other.get(word, word) for word, _ in draft.probabilities]
        if found and (strange := [word for word in words if word not in found and word not in self.stated]):
            raise SchemaError(
                f"schema.probabilities names class {strange[0]!r}, which is none of the classes {_listed(found)}"
            )
        return list(found | dict.fromkeys(words))

    def _positive(self, draft: Schema) -> str:
        if draft.task != "binary":
            return ""
        if self.given.positive_class is not None:
            name = text(self.given.positive_class)
            name = spellings(draft.classes).get(name, name)
            if draft.classes and name not in draft.classes and len(draft.classes) > 1:
                raise SchemaError(f"positive_class {name!r} is none of the classes {_listed(draft.classes)}")
            return name
        if len(draft.classes) == 1 and draft.classes[0] in NEGATIVE:
            return NEGATIVE[draft.classes[0]]
        return draft.classes[-1] if draft.classes else "1"  # scikit-learn's classes_[1]

    # features

    def features(self) -> Iterable[tuple[str, FeatureType]]:
        for name in self.names:
            if name in self.taken:
                continue
            if name in self.given.ignore:
                self.excluded.append((name, "ignored by the config"))
            elif name in self.given.features:
                yield name, self._forced(name, self.given.features[name])
            elif why := self._useless(name):
                self.excluded.append((name, why))
            else:
                yield name, self._usual(name)

    def _usual(self, name: str) -> FeatureType:
        kind = self.columns.kind(name)
        if pa.types.is_boolean(kind) or self.columns.holds_booleans(name):
            return "boolean"
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return "datetime"
        if self.columns.is_coded(name):
            return "categorical"
        return "numeric" if is_number(kind) else "categorical"

    def _forced(self, name: str, wanted: FeatureType) -> FeatureType:
        kind = self.columns.kind(name)
        if wanted not in get_args(FeatureType):
            raise SchemaError(f"feature {name!r} can't be {wanted!r}; write {_listed(get_args(FeatureType))}")
        if wanted == "numeric" and not (is_number(kind) or self.columns.holds_numbers(name)):
            raise SchemaError(f"feature {name!r} holds {kind}, so it can't be numeric; convert it in the reference")
        if wanted == "datetime":
            if not (self.columns.is_moment(name) or self.columns.holds_times(name)):
                raise SchemaError(f"feature {name!r} holds {kind} that is no time; give ISO 8601 or epoch seconds")
            return wanted
        if not self.columns.is_scalar(name):
            raise SchemaError(f"feature {name!r} holds {kind}, which can't be watched; list it under `ignore`")
        if wanted == "boolean" and not set(self.columns.values(name)) <= {"true", "false", "0", "1"}:
            raise SchemaError(f"feature {name!r} holds more than true and false; make it categorical")
        return wanted

    def _useless(self, name: str) -> str:
        kind, column = self.columns.kind(name), self.table[name]
        nothing = pa.types.is_floating(kind) and self.columns.range(name)[0] is None
        if pa.types.is_null(kind) or column.null_count == len(column) or nothing:
            return "has no value in the reference"
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            taken = [part for part in part_names(name) if part in self.names]
            return f"a time, but column {taken[0]!r} has the name of its part" if taken else ""
        if not self.columns.is_scalar(name):
            return f"type {kind} can't be watched"
        return self.columns.id_reason(name)


def _value(name: str) -> tuple[float, str]:
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name


def _nearest(name: str, names: Iterable[str]) -> str:
    lower = {other.lower(): other for other in names}
    near = nearest(name.lower(), lower)
    return f" (did you mean {lower[near]!r}?)" if near else ""


def _listed(names: Iterable[str]) -> str:
    """Names as people list them, the first twelve."""
    every = list(names)
    more = f" and {len(every) - 12} more" if len(every) > 12 else ""
    return ", ".join(repr(name) for name in every[:12]) + more
