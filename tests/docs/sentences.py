"""Finds the sentences with which the code refuses something, by reading its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GAP = "…"
"""Stands for what a sentence fills in."""
_WORD = re.compile(r"(?<!\S)[^\sA-Za-z]*[A-Za-z][a-zA-Z'.,:;_]+")


@dataclass(frozen=True)
class Sentence:
    """A text of the source that people may get to read. `where` is its file and line."""

    where: str
    text: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What is fixed in the sentence, in its order, on one line of a text that `bare` has made."""
        fixed = [re.escape(bare(part).strip(" ,;:")) for part in self.text.split(GAP) if re.search(r"\w", part)]
        return re.compile(".*".join(fixed))


def bare(text: str) -> str:
    """Return the text without the marks of code and with single blanks; its lines stay lines."""
    return re.sub(r"[^\S\n]+", " ", text.replace("`", "").replace(r"\|", "|"))


def sentences(path: Path, least: int = 4) -> Iterator[Sentence]:
    """Yield the texts of a module that have `least` words, or two where they are raised. Docstrings are none."""
    tree = ast.parse(path.read_text("utf-8"))
    yield from (Sentence(f"{path}:{line}", text) for line, text in _texts(tree, least))


def _texts(node: ast.AST, least: int) -> Iterator[tuple[int, str]]:
    least = 2 if isinstance(node, ast.Raise) else least
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Constant | ast.JoinedStr) and len(_WORD.findall(text := _text(node))) >= least:
        yield node.lineno, text
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from _texts(child, least)


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return re.sub(r"%[-.\d]*[sdrfg]", GAP, node.value) if isinstance(node.value, str) else ""
    return "".join(_text(part) if isinstance(part, ast.Constant) else GAP for part in node.values)
