"""What is raised for a config file that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.config.yaml_document import Problem

SHOWN = 50
"""Problems of a file that are listed at most; the last line says how many more there are."""
LONGEST = 1_500
"""Characters of one problem."""


class ConfigError(Exception):
    """The config file is wrong. `line` and `message` are the first problem's; `problems` has them all."""

    def __init__(self, path: str | Path, line: int | None, message: str, *more: Problem) -> None:
        self.problems = tuple(Problem(at, printable(said)) for at, said in ((line, message), *more))
        self.path, self.line, self.message = str(path), line, self.problems[0].message
        super().__init__("\n".join(self._shown(problem) for problem in self.problems))

    @classmethod
    def of(cls, path: str | Path, found: Sequence[Problem]) -> ConfigError:
        """Return the error that lists what was found, in that order."""
        first, *more = found[:SHOWN]
        if len(found) > SHOWN:
            more.append(Problem(None, f"and {len(found) - SHOWN:,} more; mend these first"))
        return cls(path, first.line, first.message, *more)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.line, self.message, *self.problems[1:])

    def _shown(self, problem: Problem) -> str:
        path = printable(self.path)
        return f"{path}:{problem.line}: {problem.message}" if problem.line else f"{path}: {problem.message}"


def printable(text: str, limit: int = LONGEST) -> str:
    """Return the text on one line, what a terminal would not show as it is written as an escape, and its middle left
    out where it is long: what is to be done stands at its end."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: 10 * limit]
    )
    return shown if len(shown) <= limit else f"{shown[: limit - 200]} … {shown[-195:]}"


def stop(path: str | Path, found: Sequence[Problem]) -> None:
    """Raise ConfigError, by line, if anything was found."""
    if found:
        raise ConfigError.of(path, sorted(found, key=lambda problem: problem.line or 0))
