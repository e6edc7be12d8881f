"""Print how large the code's files and functions are, and how much they import each other: `make sizes`.

A function's lines go from its `def` to its end: with its docstring, without its decorators. A room is what lies in
monitor/, and checks and alerts. An arrow is one room or file that imports another, wherever the import stands; floors
are the longest chain of arrows, where those that import each other in a circle stand on one floor.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import grimp

PACKAGES = ("monitor", "checks", "alerts")
Arrows = Mapping[str, set[str]]


def files(root: Path, packages: Iterable[str] = PACKAGES) -> dict[Path, int]:
    """Return the lines of each file."""
    found = (path for package in packages for path in (root / package).rglob("*.py"))
    return {path.relative_to(root): len(path.read_text("utf-8").splitlines()) for path in found}


def functions(root: Path, packages: Iterable[str] = PACKAGES) -> dict[str, int]:
    """Return the lines of each function and method, inner ones too, by its place."""
    return {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in files(root, packages)
        for node in ast.walk(ast.parse((root / path).read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def imports() -> Arrows:
    """Return the modules that each module imports, those in functions and for types alone too."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def between_rooms(modules: Arrows) -> Arrows:
    """Return the rooms that each room imports: what lies in monitor/ is a room each, and so are checks and alerts."""
    found: dict[str, set[str]] = {}
    for module, others in modules.items():
        found.setdefault(_room(module), set()).update({_room(other) for other in others} - {_room(module)})
    return found


def circles(arrows: Arrows) -> set[frozenset[str]]:
    """Return the groups that import each other."""
    reached = {name: set(_reached(name, arrows)) for name in arrows}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in arrows}
    return {group for group in groups if group}


def floors(arrows: Arrows) -> int:
    """Return how many lie on the longest chain of arrows, a circle counted once."""
    group = {name: min(circle) for circle in circles(arrows) for name in circle}

    @cache
    def height(name: str) -> int:
        members = [one for one in arrows if group.get(one, one) == name]
        below = {group.get(other, other) for one in members for other in arrows[one]} - {name}
        return 1 + max(map(height, below), default=0)

    return max(height(group.get(name, name)) for name in arrows)


def report(root: Path) -> Iterator[str]:
    """Yield what is measured, line by line."""
    sizes, tests = files(root), files(root, ["tests"])
    yield f"lines of code: {sum(sizes.values()):,} in {len(sizes)} files; of tests: {sum(tests.values()):,}"
    yield _spread("lines a file", sizes)
    yield _spread("lines a file of tests", tests)
    yield _spread("lines a function", functions(root))
    entries = {path.parts[1] for path in sizes if path.parts[0] == "monitor"}
    yield f"entries in monitor/: {len(entries)}"
    yield _spread("files a folder", Counter(path.parent for path in sizes if path.name != "__init__.py"))
    modules = imports()
    for name, arrows in ("rooms", between_rooms(modules)), ("files", modules):
        number, circled = sum(map(len, arrows.values())), len(circles(arrows))
        yield f"{name}: {len(arrows)} on {floors(arrows)} floors, {number:,} arrows, {circled} circles"


def _room(module: str) -> str:
    return ".".join(module.split(".")[: 2 if module.startswith("monitor.") else 1])


def _spread(name: str, sizes: Mapping[Any, int]) -> str:
    largest = max(sizes, key=lambda one: sizes[one])
    ninth = quantiles(sizes.values(), n=10)[-1]
    return f"{name}: median {median(sizes.values()):g}, p90 {ninth:g}, largest {sizes[largest]} ({largest})"


def _reached(name: str, arrows: Arrows) -> Iterator[str]:
    waiting, seen = [name], set[str]()
    while waiting:
        for other in arrows.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
                yield other


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    sys.path.insert(0, str(where))
    print(*report(where), sep="\n")
