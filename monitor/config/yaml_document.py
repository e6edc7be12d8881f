"""A YAML file as plain values that remember their lines, with ${ENVIRONMENT} filled in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from alerts.redact import SHORT
from monitor.config.environment import bare, filled, named

Place = tuple[str | int, ...]

# YAML 1.1 takes 1e9 for text, 1.0e+9 for a number; people mean the number.
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_SCALARS = {f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp")}
_KINDS = {"int": "whole number", "float": "number", "bool": "true or false", "timestamp": "date or time"}
_COMMENT = re.compile(r"\s*(#[^\s#]\S*)")
_HIDING = re.compile(r"[:\[{,]\s+(#[^\s#][^\s\]},]*)")
_UNFIT = re.compile("[\0\ud800-\udfff]")
_MOST_BITS = 1_000
"""Of a whole number: Python writes none of many thousands."""
_MAX_NODES = 40_000
_DEEPEST = 60
"""Sections and lists inside each other."""


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
    """The text of values that came from the environment, as it stands in the file but for its defaults, which may be
    secrets themselves: what errors may show."""
    filled: dict[str, str] = field(default_factory=dict)
    """What those are written as, by the value, where that is long enough to be told."""
    problems: list[Problem] = field(default_factory=list)

    def model_place(self, index: int) -> Place:
        """Return where model `index` stands; the keys of a single one may be at the top."""
        return ("models", index) if isinstance(self.value, dict) and "models" in self.value else ()

    def hidden(self, problem: Problem) -> Problem:
        """Return the problem without what came from the environment, which is named instead."""
        message = problem.message
        for value, written in self.filled.items():
            message = message.replace(value, written)
        return Problem(problem.line, message)

    def line(self, place: Place) -> int | None:
        """The line of a value, or of the nearest thing around it that stands in the file."""
        for length in range(len(place), -1, -1):
            if (line := self.lines.get(place[:length])) is not None:
                return line
        return None


def parse(text: str, environment: Mapping[str, str]) -> Document:
    """Reads one YAML document. What is wrong with it is in `problems`; nothing is raised."""
    document = Document()
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        document.problems.append(Problem(line, f"not valid YAML: the character U+{code:04X} can't stand in it"))
        return document
    try:
        node = loader.get_single_node()
        if node is not None:
            document.lines[()] = node.start_mark.line + 1
            document.value = _Builder(loader, document, environment, text).build(node, ())
    except yaml.MarkedYAMLError as error:
        document.problems.append(_not_yaml(error, text))
    except (ValueError, OverflowError):  # of a character or a version that is written as a number
        document.problems.append(Problem(loader.line + 1, "not valid YAML: a number in it is out of range"))
    except RecursionError:
        document.problems.append(Problem(loader.line + 1, "not valid YAML: nested too deeply"))
    finally:
        loader.dispose()
    return document


def _not_yaml(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    reason = " ".join(part for part in (error.problem, error.context) if part)
    lines = text.split("\n")
    # What a comment hides is missed where the next thing stands.
    for line in range(mark.line, max(-1, mark.line - 4), -1) if mark else ():
        if line < len(lines) and (hidden := _HIDING.search(lines[line])):
            return Problem(line + 1, f"not valid YAML: {_commented(hidden[1])}")
    return Problem(mark.line + 1 if mark else None, f"not valid YAML: {reason}")


def _commented(word: str) -> str:
    return f'{word} is a comment, since # begins one; put it in quotes: "{word}"'


class _Loader(yaml.SafeLoader):
    """Composes a tree of bounded size: PyYAML itself would go on until its stack or the memory ends."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MAX_NODES or self._depth > _DEEPEST:
            wrong = "nested too deeply" if self._depth > _DEEPEST else "too many values"
            raise yaml.MarkedYAMLError(problem=wrong, problem_mark=self.get_mark())
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Builder:
    def __init__(self, loader: yaml.SafeLoader, document: Document, environment: Mapping[str, str], text: str) -> None:
        self._loader = loader
        self._document = document
        self._environment = environment
        self._text = text
        self._nodes = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node, place: Place) -> Any:
        self._document.lines.setdefault(place, node.start_mark.line + 1)
        with self._entered(node):
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            if isinstance(node, yaml.SequenceNode):
                self._refuse_tag(node, {f"{_TAG}seq"})
                return [self.build(item, (*place, index)) for index, item in enumerate(node.value)]
            assert isinstance(node, yaml.ScalarNode)
            return self._scalar(node, place)

    @contextmanager
    def _entered(self, node: yaml.Node) -> Iterator[None]:
        """Count a node, also one that an alias repeats, and refuse one that is inside itself."""
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise _wrong("too many values", node)
        if id(node) in self._open:
            raise _wrong("an alias contains itself", node)
        self._open.add(id(node))
        try:
            yield
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, (key_node, value_node) in self._pairs(node).items():
            inner = (*place, key)
            self._document.lines[inner] = key_node.start_mark.line + 1
            result[key] = self.build(value_node, inner)
        return result

    def _pairs(self, node: yaml.MappingNode) -> dict[Any, tuple[yaml.Node, yaml.Node]]:
        """Return what a section holds, with what `<<: *other` merges into it; its own keys win, then the first."""
        self._refuse_tag(node, {f"{_TAG}map"})
        own: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for other in self._merged(value_node):
                    with self._entered(other):
                        merged = {**self._pairs(other), **merged}
                continue
            key = self._key(key_node)
            if key in own:
                line, first = key_node.start_mark.line + 1, own[key][0].start_mark.line + 1
                self._problem(line, f"key {str(key)!r} stands twice; it is already on line {first}")
            own[key] = key_node, value_node
        return {**merged, **own}

    def _merged(self, node: yaml.Node) -> list[yaml.MappingNode]:
        found = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for other in found:
            if not isinstance(other, yaml.MappingNode):
                raise _wrong("<< takes a section, or a list of sections", other)
        return list(found)

    def _refuse_tag(self, node: yaml.Node, known: Collection[str]) -> None:
        if node.tag not in known:
            name = node.tag.replace(_TAG, "!!", 1)
            raise _wrong(f"{name} says what kind of value this is, which a config can't have; leave it out", node)

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise _wrong("a key must be a word", node)
        return self._constructed(node)

    def _constructed(self, node: yaml.ScalarNode) -> Any:
        """Return a scalar's value. Raises MarkedYAMLError for one that says it is what it is not."""
        if node.tag == f"{_TAG}value":  # a plain =
            return node.value
        self._refuse_tag(node, _SCALARS)
        try:
            value = self._loader.construct_object(node)
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError):
            kind = _KINDS.get(node.tag.removeprefix(_TAG), "value")
            hint = "; put it in quotes if it is text" if node.style is None else ""
            raise _wrong(f"{node.value[:40]!r} is no {kind} that can be read{hint}", node) from None
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise _wrong("a number in it is out of range", node)
        if isinstance(value, str) and _UNFIT.search(value):
            raise _wrong("a text can't hold the character U+0000, nor a half one (U+D800 to U+DFFF)", node)
        return value

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        value, line = self._constructed(node), node.start_mark.line + 1
        if value is None and not node.value and (hidden := self._comment_after(node)):
            self._problem(line, f"{place[-1] if place else 'the file'} is empty: {_commented(hidden)}")
        if not isinstance(value, str):
            return value
        if node.style is None and _EXPONENT.fullmatch(value):
            return float(value)
        new = value
        if "${" in value:
            new = filled(value, self._environment, lambda wrong: self._problem(line, wrong))
        elif "$" in value:
            new = bare(value, lambda wrong: self._problem(line, wrong))
        if new != value:
            self._document.written[place] = named(value)
            if len(new) >= SHORT:
                self._document.filled[new] = named(value)
        return new

    def _comment_after(self, node: yaml.ScalarNode) -> str | None:
        """Return the word that stands, as a comment, where the value of an empty scalar would be."""
        mark = node.start_mark
        end = self._text.find("\n", mark.index)
        found = _COMMENT.match(self._text[mark.index : None if end < 0 else end])
        return found[1] if found else None

    def _problem(self, line: int, message: str) -> None:
        self._document.problems.append(Problem(line, message))


def _wrong(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
