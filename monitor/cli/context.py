"""What commands share: the option for the config, the config itself, and the store that it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitor.settings.model import ModelSettings
    from monitor.settings.root import Config
    from monitor.store.alerts.queries import AlertStore

DEFAULT_CONFIG = Path("watchkeeper.yaml")
ConfigOption = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The config file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")]


def load_config(path: Path, *, notify: bool = False) -> Config:
    """The config, or a Failure that lists what is wrong with it. `notify`: the command needs Slack's token."""
    from alerts.redact import hide, secrets
    from monitor.config.errors import ConfigError
    from monitor.config.load import load

    try:
        config = load(path, notify=notify)
    except ConfigError as error:
        raise Failure(str(error), 2) from None
    hide(secrets(config, os.environ))
    return config


def models_of(config: Config, name: str | None) -> list[ModelSettings]:
    """The config's models, or the one that was asked for."""
    chosen = [model for model in config.models if name in (None, model.model)]
    if not chosen:
        known = ", ".join(model.model for model in config.models)
        raise Failure(f"the config has no model {name!r}; it has {known}", 2)
    return chosen


@contextmanager
def open_database(config: Config) -> Iterator[Engine]:
    """The config's database, which must have its tables already."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError

    from alerts.redact import shown_url
    from monitor.store.engine import StoreError, explain, open_engine
    from monitor.store.tables import measurements

    try:
        engine = open_engine(config.database)
    except StoreError as error:
        raise Failure(str(error), 2) from None
    try:
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        if (file and not Path(file).exists()) or not inspect(engine).has_table(measurements.name):
            where = file or shown_url(config.database)
            raise Failure(f"there is nothing in database {where} yet; `watchkeeper run` fills it", 1)
        yield engine
    except DBAPIError as error:
        raise Failure(explain(error, config.database), 1) from None
    finally:
        engine.dispose()


@contextmanager
def open_alerts(config: Config) -> Iterator[AlertStore]:
    """Alerts and silences in the config's database, which a running daemon reads too: what is changed holds at once."""
    from monitor.store.alerts.queries import AlertStore
    from monitor.store.writer import Writer

    with open_database(config) as engine:
        writer = Writer(engine)
        writer.start()
        try:
            yield AlertStore(engine, writer)
        finally:
            writer.stop()
