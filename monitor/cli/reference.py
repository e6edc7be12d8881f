"""`watchkeeper reference …`: builds what is normal, and shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.context import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    ModelOption,
    load_config,
    models_of,
    open_database,
)
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitor.settings import Config, ModelSettings
    from monitor.work.closing import BuiltReference

app = typer.Typer(no_args_is_help=True, help="What is normal for a model: references, built and stored.")


@app.command()
def build(model: ModelOption = None, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Build and store each model's reference from its file, unless the newest one equals it.

    A running daemon does this by itself when it starts."""
    from monitor.cli.output import print_json
    from monitor.store.engine import StoreError
    from monitor.store.migrations import upgrade

    settings = load_config(config)
    chosen = [item for item in models_of(settings, model) if item.reference_file is not None]
    if not chosen:
        raise Failure("the config names no reference; write reference: <file>", 2)
    try:
        upgrade(settings.database)
    except StoreError as error:
        raise Failure(str(error), 1) from None
    built = [(item, _build(settings, item)) for item in chosen]
    if as_json:
        print_json([{"model": item.model, "id": made.id, "n": made.n, "created": made.created} for item, made in built])
        return
    for item, made in built:
        verb = "built" if made.created else "unchanged"
        print(f"{item.model}: reference {made.id} from {made.n:,} rows of {item.reference_file} ({verb})")


@app.command(name="list")
def list_(model: ModelOption = None, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the references that are stored, the newest of each model first."""
    from monitor.cli.output import print_json, print_table

    settings = load_config(config)
    with open_database(settings) as engine:
        found = _stored(engine, [item.model for item in models_of(settings, model)])
    if as_json:
        print_json(found)
    elif not found:
        print("no references; `watchkeeper reference build` makes them")
    else:
        columns = ("id", "model", "created_at", "n", "source")
        print_table(("ID", "MODEL", "CREATED", "ROWS", "SOURCE"), [[row[name] for name in columns] for row in found])


@app.command()
def show(
    model: ModelOption = None,
    id: Annotated[int | None, typer.Option("--id", help="This one instead of the newest.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show a model's newest reference: its features, their types and the limits calibrated on it."""
    from monitor.cli.output import print_json
    from monitor.cli.reference_page import described, print_described

    settings = load_config(config)
    chosen = models_of(settings, model)
    if len(chosen) > 1:
        raise Failure(f"say which model: --model {' or '.join(item.model for item in chosen)}", 2)
    with open_database(settings) as engine:
        page = described(engine, chosen[0].model, id)
    if page is None:
        raise Failure(f"model {chosen[0].model} has no such reference; `watchkeeper reference list` shows them", 1)
    if as_json:
        print_json(page)
    else:
        print_described(page)


def _build(settings: Config, model: ModelSettings) -> BuiltReference:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from checks.schema import SchemaError
    from monitor.work.closing import ModelOptions
    from monitor.work.reference import build as build_reference

    console = Console(stderr=True)
    columns = (TextColumn("reference of {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(model.model, total=1.0)
        try:
            return build_reference(
                settings.database,
                str(model.reference_file),
                ModelOptions.of(model),
                lambda share: bar.update(task, completed=share),
            )
        except SchemaError as error:
            raise Failure(f"model {model.model}: {error}", 2) from None


def _stored(engine: Engine, models: list[str]) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from monitor.clock import iso
    from monitor.store.tables import references

    columns = (references.c.id, references.c.model, references.c.created_at, references.c.n, references.c.source)
    query = select(*columns).where(references.c.model.in_(models))
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(references.c.model, references.c.id.desc())).mappings()
        return [{**row, "created_at": iso(row["created_at"])} for row in rows]
