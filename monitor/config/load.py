"""Reads the config file: lines and hints for what is wrong, secrets and defaults filled in, rules merged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from alerts.rules.rule import LEVELS, SIDES
from alerts.url import url_problem
from monitor.config import error_messages
from monitor.config.check_alertmanager import alertmanager_problems
from monitor.config.check_models import model_problems
from monitor.config.check_probes import probe_problems
from monitor.config.check_receivers import receiver_problems
from monitor.config.check_rules import rule_problems
from monitor.config.check_tokens import token_problems
from monitor.config.errors import ConfigError, stop
from monitor.config.importance_file import with_importance
from monitor.config.rules_in_force import all_rules, default_rules
from monitor.config.secret_values import missing_secrets, with_files, with_slack_tokens
from monitor.config.text_file import TextFileError, read_text
from monitor.config.urls import address, base_problem, is_loopback
from monitor.config.yaml_document import Document, Problem, parse
from monitor.settings.root import Config

DEFAULT_DATABASE = "watchkeeper.db"
ANCHORS = "x-"
"""Begins keys at the top of a file that mean nothing: a place for YAML anchors."""


def load(path: str | Path, environment: Mapping[str, str] = os.environ, *, notify: bool = True) -> Config:
    """The config in the file `path`, its paths absolute and its secrets read.

    With `notify=False` a Slack section without a token is left as it is, for commands that send nothing.
    Raises ConfigError, which lists everything that is wrong.
    """
    return read(path, environment, notify=notify)[0]


def read(
    path: str | Path, environment: Mapping[str, str] = os.environ, *, notify: bool = True
) -> tuple[Config, Document]:
    """Like `load`, with the file as it was written, for those who show it."""
    document = parse(_text(path), environment)
    stop(path, document.problems)
    if document.value is None:
        raise ConfigError(path, None, "the file is empty; `watchkeeper init` writes one to start from")
    if not isinstance(document.value, dict):
        raise ConfigError(path, document.line(()), "the file must consist of keys, such as model: and server:")
    value = _with_shipped_rules({key: item for key, item in document.value.items() if not str(key).startswith(ANCHORS)})
    try:
        config = Config.model_validate(value)
    except ValidationError as error:
        raise ConfigError.of(
            path, [document.hidden(problem) for problem in error_messages.problems(error, document)]
        ) from None
    folder = Path(path).resolve().parent
    found: list[Problem] = []
    config = with_importance(config, document, folder, found)
    config = with_files(config, document, folder, found)
    tests = [str(folder / pattern) for pattern in config.rule_tests]
    config = config.model_copy(update={"database": _database(config.database, folder), "rule_tests": tests})
    found += _judge(config, document)
    config = with_slack_tokens(config, environment)
    if notify:
        found += missing_secrets(config, document)
    stop(path, [document.hidden(problem) for problem in found])
    return config, document


def _text(path: str | Path) -> str:
    try:
        return read_text(Path(path), pipes=True)
    except FileNotFoundError:
        raise ConfigError(
            path, None, "there is no such file; `watchkeeper init` writes one, --config names another"
        ) from None
    except TextFileError as error:
        raise ConfigError(path, None, str(error)) from None


def _with_shipped_rules(value: dict[str, Any]) -> dict[str, Any]:
    """A rule that has a shipped one's name and no metric of its own changes the keys it gives, and keeps the others."""
    rules = value.get("rules")
    if not isinstance(rules, list):
        return value
    shipped = {rule.name: rule for rule in default_rules()}

    def whole(rule: Any) -> Any:
        name = rule.get("name") if isinstance(rule, dict) and "metric" not in rule else None
        known = shipped.get(name) if isinstance(name, str) else None
        if known is None:
            return rule
        kept = known.model_dump(by_alias=True, exclude_unset=True)
        if {*SIDES, "absent", "slo"} & rule.keys():
            # The old clear level belongs to the old level.
            kept = {key: value for key, value in kept.items() if key not in LEVELS}
        return {**kept, **rule}

    return {**value, "rules": [whole(rule) for rule in rules]}


def _database(url: str, folder: Path) -> str:
    """The URL with a relative SQLite path taken from the config's folder."""
    if not url:
        return f"sqlite:///{folder / DEFAULT_DATABASE}"
    if url.startswith("sqlite:///") and url != "sqlite:///:memory:":
        file, question, query = url.removeprefix("sqlite:///").partition("?")
        return f"sqlite:///{folder / file}{question}{query}"
    return url


def _judge(config: Config, document: Document) -> Iterator[Problem]:
    """What is wrong although each value is well-formed."""
    yield from rule_problems(config.rules, document, all_rules(config), config)
    yield from _judge_listen(config, document)
    yield from token_problems(config, document)
    if config.database in ("sqlite://", "sqlite:///:memory:"):
        yield Problem(
            document.line(("database",)),
            "database: one in memory can't be shared with the worker process; name a file, such as sqlite:///w.db",
        )
    if wrong := _database_problem(config.database):
        yield Problem(document.line(("database",)), wrong)
    yield from model_problems(config, document)
    yield from probe_problems(config, document)
    if config.public_url and (wrong := url_problem(config.public_url)):
        yield Problem(document.line(("public_url",)), f"public_url: {wrong.replace('127.0.0.1:8080', 'this.example')}")
    if config.grafana is not None and (wrong := base_problem(config.grafana.url)):
        yield Problem(document.line(("grafana", "url")), f"grafana.url: {wrong}")
    yield from receiver_problems(config, document)
    if config.alertmanager is not None:
        yield from alertmanager_problems(config.alertmanager, document)


def _database_problem(url: str) -> str | None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except (ArgumentError, ValueError):
        return "database: this is no URL of a database; write sqlite:///file.db or postgresql://user@host/name"
    return None


def _judge_listen(config: Config, document: Document) -> Iterator[Problem]:
    line = document.line(("listen",))
    try:
        host, _ = address(config)
    except ValueError as error:
        yield Problem(line, str(error))
        return
    if config.insecure or is_loopback(host):
        return
    missing = [f"tokens.{name}" for name in ("ingest", "admin") if not getattr(config.tokens, name)]
    if missing:
        yield Problem(
            line,
            f"listen: {config.listen} can be reached from other machines, which needs {' and '.join(missing)} "
            "(or insecure: true, if something else guards it)",
        )
