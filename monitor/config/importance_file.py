"""How much features matter to a model, from a file that its training wrote."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.config.text_file import TextFileError, read_text
from monitor.config.yaml_document import Document, Place, Problem, parse
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config

KINDS = (".json", ".yaml", ".yml", ".csv")
ASKED = "give a feature and its weight, a number from 0 on"


class ImportanceError(Exception):
    """The file is wrong; `line` is where, None the file as a whole."""

    def __init__(self, line: int | None, message: str) -> None:
        self.line = line
        super().__init__(message)


def with_importance(config: Config, document: Document, folder: Path, found: list[Problem]) -> Config:
    """The config with each `importance` that names a file replaced by what stands in it; what is wrong is added to
    `found`."""
    models = [
        _read(model, document, document.model_place(index), folder, found) for index, model in enumerate(config.models)
    ]
    return config.model_copy(update={"models": models})


def _read(model: ModelSettings, document: Document, root: Place, folder: Path, found: list[Problem]) -> ModelSettings:
    drift = model.checks.drift
    if drift is None or not isinstance(drift.importance, Path):
        return model
    weights: dict[str, float] = {}
    try:
        weights = read_importance(folder / drift.importance)
    except ImportanceError as error:
        at = f"{drift.importance}:{error.line}" if error.line else str(drift.importance)
        line = document.line((*root, "checks", "drift", "importance"))
        found.append(Problem(line, f"checks.drift.importance: {at}: {error}"))
    read = drift.model_copy(update={"importance": weights})
    return model.model_copy(update={"checks": model.checks.model_copy(update={"drift": read})})


def read_importance(path: Path) -> dict[str, float]:
    """Feature → weight: an object of JSON or YAML, or a CSV file of two columns, with a header or without. Raises
    ImportanceError."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ImportanceError(None, f"is of no known kind; give {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    text = _text(path)
    rows = list(_csv(text) if kind == ".csv" else _tree(text, strict=kind == ".json"))
    found: dict[str, float] = {}
    first: dict[str, int | None] = {}
    for line, name, value in rows:
        if name in found:
            raise ImportanceError(line, f"feature {name!r} stands twice; it is already on line {first[name]}")
        found[name], first[name] = _weight(line, name, value), line
    if not found:
        raise ImportanceError(None, f"names no feature; {ASKED}, for each")
    return found


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        raise ImportanceError(None, "there is no such file") from None
    except TextFileError as error:
        raise ImportanceError(None, str(error)) from None


def _tree(text: str, *, strict: bool) -> Iterator[tuple[int | None, str, Any]]:
    """Line, feature and weight of what stands in JSON or YAML."""
    if strict:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            raise ImportanceError(error.lineno, f"not valid JSON: {error.msg}") from None
        except RecursionError:
            raise ImportanceError(None, "not valid JSON: nested too deeply") from None
    # JSON is YAML but for its tabs, which may only stand between values; the lines are known here.
    document = parse(text.replace("\t", " ") if strict else text, {})
    for problem in document.problems:
        raise ImportanceError(problem.line, problem.message)
    if document.value is not None and not isinstance(document.value, dict):
        raise ImportanceError(document.line(()), f"holds a list or a single value; {ASKED}, for each")
    for name, value in (document.value or {}).items():
        line = document.line((name,))
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise ImportanceError(line, f"{name!r} is no feature's name; put it in quotes")
        yield line, str(name), value


def _csv(text: str) -> Iterator[tuple[int | None, str, Any]]:
    """Line, feature and weight of each row but a header."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise ImportanceError(reader.line_num, f"not valid CSV: {error}") from None
    rows = [(line, cells) for line, cells in rows if any(cells)]
    for place, (line, cells) in enumerate(rows):
        if len(cells) != 2:
            columns = f"{len(cells)} column{'' if len(cells) == 1 else 's'}"
            raise ImportanceError(line, f"has {columns}; {ASKED}, in two columns")
        if place == 0 and (not cells[0] or _number(cells[1]) is None):
            continue  # a header; that of a pandas series has no name for its index
        yield line, cells[0], cells[1]


def _weight(line: int | None, name: str, value: Any) -> float:
    if not name:
        raise ImportanceError(line, f"has a weight without a feature; {ASKED}")
    number = _number(value)
    if number is None or not math.isfinite(number) or number < 0:
        raise ImportanceError(line, f"the weight of {name!r} is {str(value)[:40]!r}; {ASKED}")
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
