"""The JSON Schema of the config file, for editors. `python -m monitor.config.json_schema` writes the shipped copy
anew."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from alerts.duration import seconds
from alerts.rules.rule import Override, Rule
from checks.catalog import CATALOG
from monitor.settings.base import Settings
from monitor.settings.root import Config

_DURATION = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d|w)\s*)+$|\$\{"},
    ]
}


def json_schema() -> dict[str, Any]:
    """The schema of the file as people write it: times as text, the short forms of levels and holds, one model's keys
    at the top or several under `models`."""
    schema = Config.model_json_schema(schema_generator=_Generator)
    defs = schema["$defs"]
    defs["Level"] = {"anyOf": [{"type": "number"}, {"const": "limit"}, defs["Level"]]}
    defs["Band"] = {"anyOf": [{"const": "limit"}, defs["Band"]]}
    defs["Hold"] = {
        "anyOf": [{"type": "string", "pattern": r"^\s*\d+(\s+of\s+\d+)?\s*windows?\s*$"}, *_DURATION["anyOf"]]
    }
    defs["ReferenceSettings"] = {"anyOf": [{"type": "string", "description": "a file"}, defs["ReferenceSettings"]]}
    defs["SegmentSettings"] = {"anyOf": [{"type": "string"}, defs["SegmentSettings"]]}
    rule = defs["Rule"]
    rule["properties"]["metric"] = {
        "enum": sorted(CATALOG),
        "description": "What is judged, without the prefix watchkeeper_.",
    }
    # A rule without a metric changes the shipped one of its name.
    rule["required"] = ["name"]
    model = defs["ModelSettings"]
    own, several = schema["properties"], schema["properties"].pop("models")
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Watchkeeper's config file"}
    single = {**model["properties"], **own}
    return {
        **title,
        "type": "object",
        "oneOf": [{"required": ["model"]}, {"required": ["models"]}],
        "properties": {**single, "models": several},
        "patternProperties": {"^x-": {"description": "Means nothing: a place for YAML anchors."}},
        "additionalProperties": False,
        "$defs": defs,
    }


def text() -> str:
    """The schema as the shipped file has it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def described(settings: type) -> dict[str, str]:
    """Each setting of the class with the text that stands below it. Read here and not by pydantic, so that a daemon
    does not parse its own source."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(settings))).body
    assert isinstance(tree, ast.ClassDef)
    found = described(Rule) if settings is Override else {}
    for base in settings.__bases__:
        found |= described(base) if issubclass(base, Settings) else {}
    for setting, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(setting, ast.AnnAssign) and isinstance(setting.target, ast.Name) and isinstance(text, ast.Expr):
            found[setting.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return found


class _Generator(GenerateJsonSchema):
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        texts = described(schema["cls"])
        for name, field in schema["cls"].model_fields.items():
            if name in texts:
                made["properties"][field.alias or name]["description"] = texts[name]
        return made

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        if schema["function"]["function"] is seconds:
            return dict(_DURATION)
        return super().function_before_schema(schema)


if __name__ == "__main__":
    (Path(__file__).parent.parent.parent / "config" / "watchkeeper.schema.json").write_text(text(), "utf-8")
