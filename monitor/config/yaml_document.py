"""A YAML file as plain values that remember their lines, with ${ENVIRONMENT} filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

Place = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$(?P<literal>\$)\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{")
# YAML 1.1 takes 1e9 for text, 1.0e+9 for a number; people mean the number.
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
_MERGE = "tag:yaml.org,2002:merge"
_MAX_NODES = 100_000


class Problem(NamedTuple):
    """One thing that is wrong with a file; lines count from 1, None is the file as a whole."""

    line: int | None
    message: str


@dataclass
class Document:
    """`value` is what the file says; `lines` and `written` are keyed by the path to a value."""

    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    written: dict[Place, str] = field(default_factory=dict)
    """The text of values that came from the environment, as it stands in the file: what errors may show."""
    problems: list[Problem] = field(default_factory=list)

    def model_place(self, index: int) -> Place:
        """Return where model `index` stands; the keys of a single one may be at the top."""
        return ("models", index) if isinstance(self.value, dict) and "models" in self.value else ()

    def line(self, place: Place) -> int | None:
        """The line of a value, or of the nearest thing around it that stands in the file."""
        for length in range(len(place), -1, -1):
            if (line := self.lines.get(place[:length])) is not None:
                return line
        return None


def parse(text: str, environment: Mapping[str, str]) -> Document:
    """Reads one YAML document. What is wrong with it is in `problems`; nothing is raised."""
    document = Document()
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.lines[()] = node.start_mark.line + 1
            document.value = _Builder(loader, document, environment).build(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.problem, error.context) if part)
        document.problems.append(Problem(mark.line + 1 if mark else None, f"not valid YAML: {reason}"))
    except yaml.YAMLError as error:
        document.problems.append(Problem(None, f"not valid YAML: {str(error).splitlines()[0]}"))
    except RecursionError:
        document.problems.append(Problem(None, "not valid YAML: nested too deeply"))
    finally:
        loader.dispose()
    return document


class _Builder:
    def __init__(self, loader: yaml.SafeLoader, document: Document, environment: Mapping[str, str]) -> None:
        self._loader = loader
        self._document = document
        self._environment = environment
        self._nodes = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node, place: Place) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise yaml.MarkedYAMLError(problem="too many values", problem_mark=node.start_mark)
        self._document.lines.setdefault(place, node.start_mark.line + 1)
        if id(node) in self._open:
            raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*place, index)) for index, item in enumerate(node.value)]
            assert isinstance(node, yaml.ScalarNode)
            return self._scalar(node, place)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[Any, Any]:
        self._refuse_duplicates(node)
        self._loader.flatten_mapping(node)  # `<<: *other`
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            inner = (*place, key)
            self._document.lines[inner] = key_node.start_mark.line + 1
            result[key] = self.build(value_node, inner)
        return result

    def _refuse_duplicates(self, node: yaml.MappingNode) -> None:
        first: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key, line = self._key(key_node), key_node.start_mark.line + 1
            if key in first:
                self._document.problems.append(
                    Problem(line, f"key {str(key)!r} stands twice; it is already on line {first[key]}")
                )
            first.setdefault(key, line)

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=node.start_mark)
        return self._loader.construct_object(node)

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        value = self._loader.construct_object(node)
        if isinstance(value, str) and node.style is None and _EXPONENT.fullmatch(value):
            return float(value)
        if isinstance(value, str) and "${" in value:
            filled = self._fill(value, node.start_mark.line + 1)
            if filled != value:
                self._document.written[place] = value
            return filled
        return value

    def _fill(self, text: str, line: int) -> str:
        def replace(match: re.Match[str]) -> str:
            if match["literal"]:
                return "${"
            name, default = match["name"], match["default"]
            if name is None:
                self._problem(line, f"{text!r}: write ${{NAME}} or ${{NAME:-default}}, and $${{ for a plain ${{")
                return match[0]
            value = self._environment.get(name)
            if value or (value is not None and default is None):
                return value
            if default is None:
                self._problem(line, f"environment variable {name} is not set; set it, or write ${{{name}:-default}}")
                return match[0]
            return default

        return _VARIABLE.sub(replace, text)

    def _problem(self, line: int, message: str) -> None:
        self._document.problems.append(Problem(line, message))
