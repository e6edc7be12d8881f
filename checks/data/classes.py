"""The classes that the config states, where the rows need not tell them."""

from __future__ import annotations

from math import isfinite

from checks.data.canonical_text import BOOLEANS, read_number, spellings, text
from checks.data.schema import Schema, SchemaError, SchemaOverrides


def stated_classes(overrides: SchemaOverrides) -> tuple[str, ...]:
    """Return the classes of the config in their one spelling and its order; empty without. Raises SchemaError."""
    names = tuple(map(text, overrides.classes))
    if len(set(names)) < len(names) or any(spellings([name]).keys() & set(names) for name in names):
        raise SchemaError(f"schema.classes names a class twice: {', '.join(names)}; list each class once")
    if overrides.task == "binary" and names and len(names) != 2:
        raise SchemaError(
            f"a binary task has two classes, but schema.classes names {len(names)}; set `task: multiclass`"
        )
    if overrides.task == "regression" and names:
        raise SchemaError("a regression has no classes; leave out schema.classes, or set another task")
    return names


def stated_schema(overrides: SchemaOverrides) -> Schema | None:
    """Return what the config alone says of the outcome, for a model without a reference; None where that is nothing.
    Raises SchemaError."""
    names = stated_classes(overrides)
    if not names:
        return Schema("regression", ()) if overrides.task == "regression" else None
    task = overrides.task or ("binary" if len(names) == 2 else "multiclass")
    positive = ""
    if task == "binary":
        positive = names[-1] if overrides.positive_class is None else text(overrides.positive_class)
        positive = spellings(names).get(positive, positive)
        if positive not in names:
            raise SchemaError(f"positive_class {positive!r} is none of schema.classes; name one of {', '.join(names)}")
    return Schema(task, (), positive_class=positive, classes=names)


def may_be_class(name: str, schema: Schema) -> bool:
    """Return whether a value, in its one spelling, is one of the model's classes or may be a new one: where more than
    those seen are possible, another word among words, or number among numbers, but no fraction among whole numbers."""
    known = {*schema.classes, schema.positive_class} - {""}
    if name in known or not known:
        return True
    if schema.task == "binary" and len(known) > 1:
        return False
    value = _amount(name)
    numbers = [number for number in map(_amount, known) if number is not None]
    if value is None:
        return len(numbers) < len(known) and name not in BOOLEANS
    return bool(numbers) and (value.is_integer() or not all(map(float.is_integer, numbers)))


def _amount(name: str) -> float | None:
    number = read_number(name)
    return number if number is not None and isfinite(number) else None
