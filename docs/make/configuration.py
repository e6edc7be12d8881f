"""Writes docs/configuration.md from the config's schema, which has its texts from the settings' own docstrings.

python -m docs.make.configuration
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.config.json_schema import json_schema

OUT = Path(__file__).parents[1] / "configuration.md"
HEAD = """# Configuration

What `watchkeeper.yaml` may say, section by section. Made by `python -m docs.make.configuration` from the settings
themselves, of which [config/watchkeeper.schema.json](../config/watchkeeper.schema.json) tells editors;
[config/example.yaml](../config/example.yaml) shows every key in its place, and `watchkeeper check-config` judges a
file.

Times are written `15s`, `5m`, `1h`, `7d`, or as seconds. Paths are relative to the file. `${NAME}` is an environment
variable, `${NAME:-text}` has a default. Unknown keys are refused. A name with `[]` is an item of a list.
"""
NAMED = {"Level": "level", "Band": "band", "Condition": "condition", "EvidentlySettings": "check of Evidently"}
"""What stands in several places, or under any name, by a name for people."""
Schema = dict[str, Any]


@dataclass
class Sections:
    """The schema's parts in the order in which the file has them, each under the path that leads there first."""

    defs: dict[str, Schema]
    paths: dict[str, str] = field(default_factory=dict)

    def add(self, node: Schema, path: str) -> None:
        for name, item in _refs(node, ""):
            if name in self.paths or name in ("Hold", "Severity"):
                continue
            self.paths[name] = NAMED.get(name, f"{path}{item}")
            for key, value in self.fields(name).items():
                self.add(value, f"{self.paths[name]}.{key}")
            extra = self.object(name).get("additionalProperties")
            if isinstance(extra, dict):
                self.add(extra, f"{path}{item}")

    def object(self, name: str) -> Schema:
        """The long form, of those that have a short one."""
        node = self.defs[name]
        return next((one for one in node.get("anyOf", ()) if "properties" in one), node)

    def fields(self, name: str) -> dict[str, Schema]:
        found: dict[str, Schema] = self.object(name)["properties"]
        return found


def _refs(node: Schema, item: str) -> Iterator[tuple[str, str]]:
    if "$ref" in node:
        yield node["$ref"].rpartition("/")[2], item
    for one in node.get("anyOf", ()):
        yield from _refs(one, item)
    if isinstance(node.get("items"), dict):
        yield from _refs(node["items"], item + "[]")


def text() -> str:
    """The page."""
    schema = json_schema()
    sections = Sections(schema["$defs"])
    own = schema["properties"]
    sections.paths["ModelSettings"] = "models[]"
    for key, node in own.items():
        sections.add(node, key)
    model = sections.object("ModelSettings")
    top = {key: node for key, node in own.items() if key not in model["properties"]}
    one = "Of one model alone, these keys may stand at the top of the file instead."
    parts = [HEAD, _section("The file", "", {"properties": top}, sections)]
    for name, path in sections.paths.items():
        node = sections.object(name)
        told = one if name == "ModelSettings" else _prose(node.get("description", ""))
        parts.append(_section(f"`{path}`" if path != NAMED.get(name) else path.capitalize(), told, node, sections))
    return "\n".join(parts)


def _section(title: str, told: str, node: Schema, sections: Sections) -> str:
    rows = ["| key | type | default | |", "| --- | --- | --- | --- |"]
    needed = node.get("required", ())
    for key, value in node["properties"].items():
        default = "needed" if key in needed else _default(value)
        rows.append(f"| `{key}` | {_type(value, sections)} | {default} | {_cell(value.get('description', ''))} |")
    return "\n".join([f"## {title}", "", *([told, ""] if told else []), *rows, ""])


def _prose(docstring: str) -> str:
    return docstring.replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _type(node: Schema, sections: Sections) -> str:
    """The type in words, with what is allowed."""
    if _is_time(node):
        return "time"
    if "$ref" in node:
        return _named(node["$ref"].rpartition("/")[2], sections)
    if "anyOf" in node:
        known = [_type(one, sections) for one in node["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(known))
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return _choice(node["enum"])
    return _plain(node, sections)


def _is_time(node: Schema) -> bool:
    """Whether it is a number of seconds or a text such as 1h: one of the two tells by its units."""
    return any("(ms|s|m|h|d|w)" in one.get("pattern", "") for one in node.get("anyOf", ()))


def _named(name: str, sections: Sections) -> str:
    if name == "Hold":
        return "time, `n windows`, or `n of m windows`"
    if "enum" in sections.defs[name]:
        return _choice(sections.defs[name]["enum"])
    path = sections.paths[name]
    short = {"Level": "a number, `limit`, or a ", "Band": "`limit`, or a ", "ReferenceSettings": "path, or "}.get(
        name, ""
    )
    return f"{short}[{path}](#{slug(path)})"


def _choice(values: list[Any]) -> str:
    if len(values) > 20:
        return "a [metric](metrics.md)"
    return ", ".join(f"`{value}`" for value in values)


def _plain(node: Schema, sections: Sections) -> str:
    kind = node.get("type")
    if kind == "array":
        return f"list of {_type(node['items'], sections)}" if node.get("items") else "list"
    if kind == "object":
        values = node.get("additionalProperties")
        return f"map to {_type(values, sections)}" if isinstance(values, dict) and values else "map"
    if kind in ("integer", "number"):
        return ("whole number" if kind == "integer" else "number") + _bounds(node)
    if kind == "boolean":
        return "true or false"
    if kind == "string":
        return {"path": "path", "password": "text, secret"}.get(node.get("format", ""), "text")
    return "anything"


def _bounds(node: Schema) -> str:
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    told = [f"{sign} {node[key]:g}" for key, sign in words.items() if key in node]
    return " " + ", ".join(told) if told else ""


def _default(node: Schema) -> str:
    value = node.get("default")
    if (
        value is None
        or value == ""
        or isinstance(value, dict)
        or (value and isinstance(value, list) and isinstance(value[0], dict))
    ):
        return ""
    if _is_time(node) and isinstance(value, int | float):
        return f"`{_time(value)}`"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _time(seconds: float) -> str:
    """
    >>> _time(5400.0), _time(0.5)
    ('90m', '0.5s')
    """
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def slug(heading: str) -> str:
    """The anchor that a heading gets, here as on repository pages."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
