"""A strict server of the Open Inference Protocol, version 2, in JSON: one model, which doubles what it is given.

Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

import json
import math
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.peer import says_json

MODEL = "delays"
_TYPES = {"FP32": (int, float), "FP64": (int, float), "INT64": (int,), "BOOL": (bool,), "BYTES": (str,)}


def serve(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answers for a Peer; what the protocol does not allow is a 400 that says so."""
    paths = (f"/v2/models/{MODEL}/infer", f"/v2/models/{MODEL}/versions/1/infer")
    if handler.command != "POST" or handler.path not in paths:
        return says_json({"error": f"unknown {handler.command} {handler.path}"}, 404)(handler, body)
    try:
        request = json.loads(body)
        if handler.headers["Content-Type"] != "application/json":
            raise ValueError("not application/json")
        outputs = [_doubled(tensor) for tensor in request["inputs"]]
    except (ValueError, KeyError, TypeError) as error:
        return says_json({"error": f"{type(error).__name__}: {error}"}, 400)(handler, body)
    identity = {"id": request["id"]} if "id" in request else {}
    return says_json({"model_name": MODEL, "model_version": "1", **identity, "outputs": outputs})(handler, body)


def _doubled(tensor: dict[str, Any]) -> dict[str, Any]:
    name, shape, datatype, data = (tensor[key] for key in ("name", "shape", "datatype", "data"))
    if any(isinstance(item, list) for item in data):
        data = [item for row in data for item in row]
    if len(data) != math.prod(shape):
        raise ValueError(f"{name}: {len(data)} elements for shape {shape}")
    if any(type(item) not in _TYPES[datatype] for item in data):
        raise ValueError(f"{name}: data is not {datatype}")
    return {"name": f"twice_{name}", "shape": shape, "datatype": datatype, "data": [2 * item for item in data]}
