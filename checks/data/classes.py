"""The classes that the config states, where the rows need not tell them."""

from __future__ import annotations

from checks.data.canonical_text import spellings, text
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
