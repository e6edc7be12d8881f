"""Makes a strict JSON Schema of a CustomResourceDefinition: `python -m tests.deploy.schemas.reduce CRD.yaml SOURCE`.

Texts and Kubernetes' own extensions are left out, and an object takes no other keys than it names, as kubectl's
validation has it (`--validate=strict`). What the API server checks beyond the schema (CEL) is lost.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

NAMED_KEYS = ("properties", "patternProperties", "definitions")
"""Keywords whose own keys are names, not keywords."""


def reduced(schema: Any) -> Any:
    """The schema without its texts, closed to unknown keys."""
    if isinstance(schema, list):
        return [reduced(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in NAMED_KEYS:
            kept[key] = {name: reduced(one) for name, one in value.items()}
        elif key not in ("description", "default", "format") and not key.startswith("x-kubernetes"):
            kept[key] = reduced(value)
    if "properties" in kept:
        kept.setdefault("additionalProperties", False)
    return kept


def main() -> None:
    crd = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    (version,) = (one for one in crd["spec"]["versions"] if one["storage"])
    schema = reduced(version["schema"]["openAPIV3Schema"])
    print(json.dumps({"$comment": f"{sys.argv[2]}; by {Path(__file__).name}", **schema}, indent=1))


if __name__ == "__main__":
    main()
