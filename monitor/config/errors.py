"""What is raised for a config file that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checks.one_line import escaped
from monitor.config.yaml_document import Problem


class ConfigError(Exception):
    """The config file is wrong. `line` and `message` are the first problem's; `problems` has them all."""

    def __init__(self, path: str | Path, line: int | None, message: str, *more: Problem) -> None:
        self.path, self.line, self.message = str(path), line, message
        self.problems = (Problem(line, message), *more)
        super().__init__("\n".join(self._shown(problem) for problem in self.problems))

    @classmethod
    def of(cls, path: str | Path, found: Sequence[Problem]) -> ConfigError:
        """Return the error that lists what was found, in that order."""
        first, *more = found
        return cls(path, first.line, first.message, *more)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.line, self.message, *self.problems[1:])

    def _shown(self, problem: Problem) -> str:
        place = f"{self.path}:{problem.line}" if problem.line else self.path
        return escaped(f"{place}: {problem.message}")


def stop(path: str | Path, found: Sequence[Problem]) -> None:
    """Raise ConfigError, by line, if anything was found."""
    if found:
        raise ConfigError.of(path, sorted(found, key=lambda problem: problem.line or 0))
