"""`watchkeeper init` and `watchkeeper check-config`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.context import DEFAULT_CONFIG, ConfigOption, JsonOption
from monitor.cli.failure import Failure


def init(
    path: Annotated[Path, typer.Argument(metavar="[FILE]")] = DEFAULT_CONFIG,
    model: Annotated[str | None, typer.Option(help="The model's name.")] = None,
    reference: Annotated[str | None, typer.Option(help="A file with a sample of normal data.")] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="Where the model's server listens.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a commented config to start from."""
    from monitor.settings.shipped_files import shared_file

    text = shared_file("init.yaml").read_text("utf-8")
    for key, value in (("model", model), ("reference", reference), ("url", server)):
        if value is not None:
            text = _with_value(text, key, value)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Failure(f"{path} exists already; --force overwrites it", 2) from None
    except OSError as error:
        raise Failure(f"{path} can't be written: {error.strerror}", 1) from None
    print(f"wrote {path}; edit it, judge it with `watchkeeper check-config`, start with `watchkeeper run`")


def check_config(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Judge a config, show what it is understood to mean, and run the tests of its rules."""
    from alerts.redact import hide, secrets
    from monitor.cli.matched import matched
    from monitor.cli.output import print_json
    from monitor.cli.understood import plain_tests, print_understood, rule_tests, understood
    from monitor.config.errors import ConfigError
    from monitor.config.load import read

    try:
        settings, document = read(config)
    except ConfigError as error:
        if as_json:
            found = [{"line": problem.line, "message": problem.message} for problem in error.problems]
            print_json({"file": str(config), "valid": False, "problems": found})
        raise Failure(str(error), 2) from None
    hide(secrets(settings, os.environ))
    meaning, problems = understood(settings, document)
    matching = matched(settings)
    meaning |= {"routes": matching.routes, "warnings": matching.warnings}
    tested, wrong = rule_tests(settings)
    if as_json:
        meaning |= {"problems": [*problems, *wrong], "rule_tests": plain_tests(tested)}
        print_json({"file": str(config), "valid": not meaning["problems"], **meaning})
    else:
        print_understood(meaning)
        if tested.cases:
            print(f"\nrule tests   {tested.cases - len(tested.failed)} of {tested.cases} cases passed")
        for warning in matching.warnings:
            print(f"{config}: warning: {warning}", file=sys.stderr)
    if problems or wrong:
        raise Failure("\n".join([*(f"{config}: {problem}" for problem in problems), *wrong]), 2)
    if tested.failed:
        raise Failure("\n".join(map(str, tested.failed)))


def _with_value(text: str, key: str, value: str) -> str:
    """The YAML text with another value on the line of `key`."""
    return re.sub(rf"^( *{key}:) .*$", lambda line: f"{line[1]} {_quoted(value)}", text, flags=re.MULTILINE)


def _quoted(text: str) -> str:
    """The text as a YAML value on one line."""
    plain = re.fullmatch(r"[A-Za-z0-9./][A-Za-z0-9_./:-]*", text) and not text.endswith(":")
    return text if plain else "'" + text.replace("'", "''") + "'"
