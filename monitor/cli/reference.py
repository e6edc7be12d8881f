"""`watchkeeper reference …`: what is normal: built, accepted, taken back, listed and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

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
    from pathlib import Path

    from sqlalchemy import Engine

    from monitor.settings.model import ModelSettings
    from monitor.settings.root import Config
    from monitor.worker.messages import BuiltReference
    from monitor.worker.references.commands import Decided, Decision

app = typer.Typer(no_args_is_help=True, help="What is normal for a model: references, built, accepted and shown.")

T = TypeVar("T")
Progress = Callable[[float], None]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="FILE|events:RANGE", help="A file, or the stored stream: events:7d, events:A/B."),
]
VersionOption = Annotated[
    str | None, typer.Option("--version", help="The model version that it is for, where each has its own.")
]
ByOption = Annotated[str | None, typer.Option("--by", help="Who decides; you unless given.")]
CommentOption = Annotated[str, typer.Option("--comment", help="Why, for those who ask later.")]


@app.command()
def build(
    model: ModelOption = None,
    origin: FromOption = None,
    version: VersionOption = None,
    by: ByOption = None,
    comment: CommentOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Build and store references: each model's from its config's file, as a starting daemon does by itself; or with
    --from one out of any file or of the stored stream, in force from the next closing on."""
    from monitor.store.engine import StoreError
    from monitor.store.migrations import upgrade

    settings = load_config(config)
    chosen = models_of(settings, model)
    if origin is None:
        chosen = [item for item in chosen if item.reference_file is not None]
        if not chosen:
            raise Failure("the config names no reference's file; write reference: <file>, or say --from", 2)
    try:
        upgrade(settings.database)
    except StoreError as error:
        raise Failure(str(error), 1) from None
    if origin is None:
        _build_configured(settings, chosen, as_json)
        return
    from monitor.worker.messages import ModelOptions
    from monitor.worker.references import commands

    one = _one(chosen)

    def run(engine: Engine, decision: Decision, progress: Progress) -> Decided:
        return commands.build(engine, ModelOptions.of(one), origin, decision, progress)

    _decide(settings, one, run, (by, comment, version), "built", as_json)


@app.command()
def accept(
    model: ModelOption = None,
    window: Annotated[
        str | None, typer.Option("--window", metavar="A/B", help="From A to B in event time, such as 2026-11-01/….")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="LENGTH", help="The newest such time, such as 1d.")
    ] = None,
    version: VersionOption = None,
    by: ByOption = None,
    comment: CommentOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What is now is normal: make what the newest window, or a range, holds the reference, under the same bins.

    It holds from the next closing on; `reference use` takes it back."""
    if window is not None and since is not None:
        raise Failure("give one of --window and --since", 2)
    from monitor.worker.messages import ModelOptions
    from monitor.worker.references import commands

    settings = load_config(config)
    one = _one(models_of(settings, model))
    options = ModelOptions.of(one)

    def run(engine: Engine, decision: Decision, progress: Progress) -> Decided:
        return commands.accept(engine, options, window or since or f"{options.every:g}s", decision, progress)

    _decide(settings, one, run, (by, comment, version), "accepted", as_json)


@app.command()
def use(
    id: Annotated[int, typer.Argument(help="The reference's number.")],
    model: ModelOption = None,
    by: ByOption = None,
    comment: CommentOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Put a stored reference into force from the next closing on; so is an accepted one taken back."""
    from monitor.worker.references import commands

    settings = load_config(config)
    one = _one(models_of(settings, model))

    def run(engine: Engine, decision: Decision, _progress: Progress) -> Decided:
        return commands.use(engine, one.model, id, decision)

    _decide(settings, one, run, (by, comment, None), "in force", as_json)


@app.command(name="list")
def list_(model: ModelOption = None, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the references that are stored, the newest of each model first, and which are in force."""
    from monitor.cli.output import print_json
    from monitor.cli.reference_page import listed, print_listed

    settings = load_config(config)
    with open_database(settings) as engine:
        found = listed(engine, [item.model for item in models_of(settings, model)])
    if as_json:
        print_json(found["references"])
    else:
        print_listed(found)


@app.command()
def history(model: ModelOption = None, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show who decided when what is normal, and from which window on it holds."""
    from monitor.cli.output import print_json, print_table
    from monitor.cli.reference_page import decided

    settings = load_config(config)
    with open_database(settings) as engine:
        found = decided(engine, [item.model for item in models_of(settings, model)])
    if as_json:
        print_json(found)
        return
    columns = ("recorded_at", "model", "version", "action", "reference", "after", "by", "comment")
    header = ("WHEN", "MODEL", "VERSION", "ACTION", "REFERENCE", "FOR WINDOWS AFTER", "BY", "COMMENT")
    print_table(header, [[row[name] for name in columns] for row in found])


@app.command()
def show(
    model: ModelOption = None,
    id: Annotated[int | None, typer.Option("--id", help="This one instead of the one in force.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show a model's reference: where it comes from, its features, their types and the limits calibrated on it."""
    from monitor.cli.output import print_json
    from monitor.cli.reference_page import described, print_described

    settings = load_config(config)
    one = _one(models_of(settings, model))
    with open_database(settings) as engine:
        page = described(engine, one.model, id)
    if page is None:
        raise Failure(f"model {one.model} has no such reference; `watchkeeper reference list` shows them", 1)
    if as_json:
        print_json(page)
    else:
        print_described(page)


def _one(chosen: list[ModelSettings]) -> ModelSettings:
    if len(chosen) > 1:
        raise Failure(f"say which model: --model {' or '.join(item.model for item in chosen)}", 2)
    return chosen[0]


def _build_configured(settings: Config, chosen: list[ModelSettings], as_json: bool) -> None:
    from monitor.cli.output import print_json, print_line

    built = [(item, _build_file(settings, item, file)) for item in chosen if (file := item.reference_file)]
    if as_json:
        print_json([{"model": item.model, "id": made.id, "n": made.n, "created": made.created} for item, made in built])
        return
    for item, made in built:
        verb = "built" if made.created else "unchanged"
        print_line(f"{item.model}: reference {made.id} from {made.n:,} rows of {item.reference_file} ({verb})")


def _build_file(settings: Config, model: ModelSettings, file: Path) -> BuiltReference:
    from checks.data.schema import SchemaError
    from monitor.worker.messages import ModelOptions
    from monitor.worker.tasks import build_reference

    with _bar(model.model) as progress:
        try:
            return build_reference(settings.database, str(file), ModelOptions.of(model), progress)
        except SchemaError as error:
            raise Failure(f"model {model.model}: {error}", 2) from None


def _decide(
    settings: Config,
    model: ModelSettings,
    run: Callable[[Engine, Decision, Progress], Decided],
    said: tuple[str | None, str, str | None],
    verb: str,
    as_json: bool,
) -> None:
    """Runs a decision, and says what came of it. `said`: by whom, why, for which version."""
    import getpass

    from checks.data.schema import SchemaError
    from monitor.cli.output import print_json, print_line
    from monitor.cli.reference_page import decided_page
    from monitor.clock import SystemClock
    from monitor.worker.references.commands import Decision
    from monitor.worker.references.from_stream import NotLearned

    by, comment, version = said
    decision = Decision(by or getpass.getuser(), SystemClock().time(), comment, version)
    with open_database(settings) as engine, _bar(model.model) as progress:
        try:
            made = run(engine, decision, progress)
        except (NotLearned, SchemaError) as error:
            raise Failure(f"model {model.model}: {error}", 1) from None
    page: dict[str, Any] = decided_page(model.model, made)
    if as_json:
        print_json(page)
        return
    of = f" of version {made.version}" if made.version else ""
    after = f"windows that end after {page['after']}" if made.after is not None else "all windows"
    print_line(
        f"{model.model}: reference {made.id}{of} from {made.rows:,} rows, {made.source} ({verb}); it holds for {after}"
    )
    for note in made.notes:
        print_line(f"  note: {note}")


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """A progress bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("reference of {task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda share: bar.update(task, completed=share)
