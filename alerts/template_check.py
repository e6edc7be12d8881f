"""Which Jinja a config may hold. A sandbox keeps a template from files and from Python's insides, not from running or
growing without end; here is nothing that could: names, their attributes, filters of a closed list, and `if`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jinja2 import Environment, TemplateError, nodes

MOST_NODES = 500
"""Parts of one template."""
LONGEST = 20_000
"""Characters of one template."""
FILTERS = frozenset(
    {
        *("abs", "capitalize", "d", "default", "float", "int", "length", "lower", "round", "string", "title", "tojson"),
        *("trim", "truncate", "upper"),
    }
)
"""Those of Jinja's own that make nothing longer than they are given."""
_TESTS = {"defined", "undefined", "none", "string", "number", "true", "false", "in", "eq", "ne", "gt", "lt", "ge", "le"}
_LARGEST = 1_000
_PLAIN = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If, nodes.CondExpr),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Const, nodes.Neg),
)
_WORDS: dict[type[nodes.Node], str] = {
    nodes.For: "{% for %}",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Macro: "{% macro %}",
    nodes.Call: "a call with ()",
    nodes.BinExpr: "arithmetic",
    nodes.Concat: "~",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.List: "a list",
    nodes.Tuple: "a list",
    nodes.Dict: "a dictionary",
    nodes.Slice: "a slice",
}


def parsed(environment: Environment, text: str, own: Collection[str], loops: int = 0) -> nodes.Template:
    """Return the template's tree. `own` are further filters that there are, `loops` how many {% for %} may stand inside
    each other. Raises TemplateError for what it may not use."""
    if len(text) > LONGEST:
        raise TemplateError(f"it is longer than {LONGEST:,} characters")
    tree = environment.parse(text)
    left = [(tree, 0)]
    for count, (node, depth) in enumerate(_walk(left)):
        if count > MOST_NODES:
            raise TemplateError(f"it has more than {MOST_NODES} parts")
        if wrong := _problem(node, depth, {*FILTERS, *own}, loops):
            raise TemplateError(f"line {node.lineno}: {wrong}" if node.lineno > 1 else wrong)
    return tree


def _walk(left: list[tuple[Any, int]]) -> Any:
    """Yield every node with the number of loops around it; without recursion, for a tree may be deep."""
    while left:
        node, depth = left.pop()
        yield node, depth
        inner = depth + isinstance(node, nodes.For)
        left += [(child, inner) for child in node.iter_child_nodes()]


def _problem(node: nodes.Node, depth: int, filters: Collection[str], loops: int) -> str | None:
    match node:
        case nodes.Filter():
            if node.name not in filters:
                return f"there is no filter {node.name!r}; there are {', '.join(sorted(filters))}"
            return None if _are_small(node.args) else "what a filter is given must be a short text or a small number"
        case nodes.Keyword():
            return None if _are_small([node.value]) else "what a filter is given must be a short text or a small number"
        case nodes.Test():
            return None if node.name in _TESTS else f"there is no test {node.name!r}"
        case nodes.Getitem():
            return None if isinstance(node.arg, nodes.Const) else "[…] takes a text or a number"
        case nodes.For() if depth < loops:
            plain = isinstance(node.iter, nodes.Name | nodes.Getattr) and not node.recursive
            return None if plain else "{% for %} goes over a list by its name"
        case _ if isinstance(node, _PLAIN):
            return None
    said = next((words for kind, words in _WORDS.items() if isinstance(node, kind)), type(node).__name__.lower())
    return f"{said} can't be used; there are names, filters and if"


def _are_small(given: Collection[nodes.Node]) -> bool:
    values = [node.value for node in given if isinstance(node, nodes.Const)]
    small = all(len(value) <= 200 if isinstance(value, str) else abs(value or 0) <= _LARGEST for value in values)
    return len(values) == len(given) and small
