"""Describe which column was found for each role, by what, and which features look as if they had one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.data.schema import Schema, SchemaOverrides
from checks.data.usual_names import USUAL, Role, class_of, looks_like, usual_role

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_TEXT = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
WHY: dict[Role, str] = {
    "prediction": "its drift is not measured, and performance not compared with the reference's",
    "score": "ROC AUC and log loss are not compared with the reference's",
    "target": "performance is not compared with the reference's",
    "time": "limits do not know the time of day",
    "id": "nothing is lost",
}
"""What is not done without a role's column."""


@dataclass(frozen=True, slots=True)
class FoundRole:
    """One role, and the column that has it."""

    role: Role
    column: str | None
    by: str
    """What it was found by: the config, its name or its values; empty where it was not."""
    add: str
    """What to write to give a column the role; empty where one has it."""


def found_roles(schema: Schema, said: SchemaOverrides) -> list[FoundRole]:
    """Return each role that this schema may have, in the order of `USUAL`. Only a binary task has a score."""
    likely = _likely(schema, said)
    found = []
    for role in USUAL:
        column = getattr(schema, role)
        if column is not None:
            found.append(FoundRole(role, column, _by(role, column, said), ""))
        elif role != "score" or (schema.task in (None, "binary") and not schema.probabilities):
            found.append(FoundRole(role, None, "", _line(said, f"{role}: {quoted(likely.get(role, ''))}")))
    return found


def _by(role: Role, column: str, said: SchemaOverrides) -> str:
    if getattr(said, role) == column:
        return "the config"
    return "its values" if role == "score" and usual_role(column) != "score" else "its name"


def _line(said: SchemaOverrides, pair: str) -> str:
    """The pair as it is to be added to a config that says this of the schema."""
    return f"`schema: {{{pair}}}`" if said == SchemaOverrides() else f"`{pair}` under `schema`"


def leftovers(schema: Schema, said: SchemaOverrides) -> Iterator[str]:
    """Yield a sentence for each feature whose name speaks of a prediction, a score or a target."""
    scored = schema.score is not None or bool(schema.probabilities) or schema.task not in (None, "binary")
    classes = {word.casefold() for word in schema.classes}
    for name, kind in schema.features:
        role = None if name in said.features else looks_like(name)
        if role is None or (role == "score" and scored and classes.isdisjoint(map(str.casefold, class_of(name)))):
            continue
        shown = quoted(name)
        ignored, kept = _line(said, f"ignore: [{shown}]"), _line(said, f"features: {{{shown}: {kind}}}")
        free = getattr(schema, role) is None and not (role == "score" and scored)
        given = f"If it is the {role}, add {_line(said, f'{role}: {shown}')}; if" if free else "If"
        yield (
            f"column {name!r} is watched as a feature, but its name is like a {role}'s. {given} the model does not "
            f"take it as an input, add {ignored}; if it does, {kept} says so"
        )


def _likely(schema: Schema, said: SchemaOverrides) -> dict[Role, str]:
    """The first feature whose name speaks of each role."""
    found: dict[Role, str] = {}
    for name, _ in schema.features:
        role = looks_like(name)
        if role is not None and name not in said.features:
            found.setdefault(role, name)
    return found


def quoted(name: str) -> str:
    """Return the name as YAML has it between braces; COLUMN, to be filled in, without one.

    >>> quoted("y_hat"), quoted("scored labels"), quoted("y"), quoted("")
    ('y_hat', '"scored labels"', '"y"', 'COLUMN')
    """
    if not name:
        return "COLUMN"
    return name if _PLAIN.fullmatch(name) and name.lower() not in _NO_TEXT else json.dumps(name)
