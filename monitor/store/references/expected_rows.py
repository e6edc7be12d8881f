"""What the rows of each model are expected to hold, by the reference in force and the config."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, select

from checks.data.classes import stated_schema
from checks.data.schema import Schema, SchemaOverrides
from monitor.ingest.expected import ANYTHING, Expected
from monitor.store.references.activations import read_activations
from monitor.store.tables import references


class ExpectedRows:
    """The expectation of every model's rows, learned anew when another reference comes into force."""

    def __init__(self, engine: Engine, overrides: Mapping[str, SchemaOverrides]) -> None:
        self._engine, self._overrides = engine, overrides
        self._known: dict[str, tuple[int | None, Expected]] = {}

    def of(self, model: str) -> Expected:
        """Return what is known; anything is expected where that is nothing."""
        return self._known[model][1] if model in self._known else ANYTHING

    def refresh(self, model: str) -> None:
        """Read which reference is in force, and its schema if that is another one than before. Where each version of
        the model has its own, only the config counts."""
        with self._engine.connect() as connection:
            uses = read_activations(connection, model)
            use = None if uses.plan().per_version else uses.of()
            number = use.reference_id if use is not None else None
            if model in self._known and self._known[model][0] == number:
                return
            text = connection.scalar(select(references.c.schema).where(references.c.id == number))
        schema = Schema.from_json(text) if text else stated_schema(self._overrides[model])
        self._known[model] = (number, Expected(schema))
