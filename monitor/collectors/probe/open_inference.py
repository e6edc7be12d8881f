"""The Open Inference Protocol, version 2, in JSON: what a request must be, and how an answer compares. Pure.

Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from monitor.collectors.probe.json_match import difference, step

Path = tuple[str | int, ...]

_WHOLE = ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64")
_ELEMENTS: dict[str, tuple[tuple[type, ...], str]] = {
    "BOOL": ((bool,), "true or false"),
    **dict.fromkeys(_WHOLE, ((int,), "a whole number")),
    **dict.fromkeys(("FP16", "FP32", "FP64"), ((int, float), "a number")),
    "BYTES": ((str,), "text"),
}


def infer_url(url: str, model: str) -> str:
    """Where the request goes: `url` itself if it ends in /infer; with /infer where it names the server's model; else,
    `url` being the server's base, that of the model called `model`.

    >>> infer_url("http://h:8080/", "iris")
    'http://h:8080/v2/models/iris/infer'
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if not path.endswith("/infer"):
        path += "/infer" if "/v2/models/" in path else f"/v2/models/{model}/infer"
    return urlunsplit(parts._replace(path=path))


def request_problem(body: Any) -> tuple[Path, str] | None:
    """What keeps `body` from being a request of the protocol, with its place; None if it is one."""
    if not isinstance(body, dict):
        return (), "must be an object with inputs"
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return (("inputs",) if "inputs" in body else ()), "needs inputs: a list of {name, shape, datatype, data}"
    names: set[str] = set()
    for index, tensor in enumerate(inputs):
        if problem := _tensor_problem(tensor):
            return ("inputs", index, *problem[0]), problem[1]
        if tensor["name"] in names:
            return ("inputs", index, "name"), f"{tensor['name']!r} stands twice"
        names.add(tensor["name"])
    return None


def answer_problem(answer: Any) -> tuple[Path, str] | None:
    """What keeps `answer`, as the config has it, from being compared: its outputs need name and data."""
    if not isinstance(answer, dict) or not isinstance(answer.get("outputs"), list):
        return (), "must be an object with outputs: a list of {name, data}"
    for index, output in enumerate(answer["outputs"]):
        if not isinstance(output, dict) or not isinstance(output.get("name"), str) or "data" not in output:
            return ("outputs", index), "needs name and data"
    return None


def output_difference(expected: Any, got: Any, tolerance: float) -> str | None:
    """The first place where the answer `got` is no answer of the protocol, or not the one expected (None: any).

    Outputs are found by name, in any order, and there may be more; their data may be flattened or nested.
    """
    outputs = got.get("outputs") if isinstance(got, dict) else None
    if not isinstance(outputs, list):
        return "$.outputs is missing"
    by_name = {output.get("name"): output for output in outputs if isinstance(output, dict) and _is_named(output)}
    if not by_name:
        return "$.outputs has no output with a name"
    if expected is None:
        return None
    for output in expected["outputs"]:
        place = "$.outputs" + step(output["name"])
        found = by_name.get(output["name"])
        if found is None:
            return f"{place} is missing"
        if wrong := difference(_flat(output), _flat(found), tolerance, place):
            return wrong
    rest = {key: value for key, value in expected.items() if key != "outputs"}
    return difference(rest, got, tolerance)


def _is_named(output: dict[str, Any]) -> bool:
    return isinstance(output.get("name"), str)


def _flat(output: dict[str, Any]) -> dict[str, Any]:
    """The output with its data flattened."""
    data = output.get("data")
    return {**output, "data": list(_elements(data))} if isinstance(data, list) else output


def _elements(data: list[Any]) -> Iterator[Any]:
    """The elements of nested lists, in row-major order."""
    open_lists = [iter(data)]
    while open_lists:
        for item in open_lists[-1]:
            if isinstance(item, list):
                open_lists.append(iter(item))
                break
            yield item
        else:
            open_lists.pop()


def _tensor_problem(tensor: Any) -> tuple[Path, str] | None:
    if not isinstance(tensor, dict):
        return (), "must be an object: {name, shape, datatype, data}"
    for key in ("name", "shape", "datatype", "data"):
        if key not in tensor:
            return (), f"{key!r} is missing"
    if not isinstance(tensor["name"], str) or not tensor["name"]:
        return ("name",), "must be text"
    shape, datatype, data = tensor["shape"], tensor["datatype"], tensor["data"]
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        return ("shape",), "must be a list of whole numbers, such as [1, 4]"
    if not isinstance(datatype, str) or datatype not in _ELEMENTS:
        return ("datatype",), f"must be one of {', '.join(_ELEMENTS)}"
    if not isinstance(data, list):
        return ("data",), "must be a list"
    return _data_problem(data, shape, datatype)


def _data_problem(data: list[Any], shape: list[int], datatype: str) -> tuple[Path, str] | None:
    elements = list(_elements(data))
    if len(elements) != math.prod(shape):
        return ("data",), f"has {len(elements)} elements, but shape {shape} means {math.prod(shape)}"
    if any(isinstance(item, list) for item in data) and not _is_nested(data, shape):
        return ("data",), f"is nested otherwise than shape {shape} says"
    (types, words), unsigned = _ELEMENTS[datatype], datatype.startswith("U")
    for index, item in enumerate(elements):
        if type(item) not in types or (unsigned and item < 0):
            return ("data",), f"element {index} of {datatype} must be {words}{', not negative' if unsigned else ''}"
    return None


def _is_nested(data: Any, shape: list[int]) -> bool:
    if not shape:
        return not isinstance(data, list)
    return isinstance(data, list) and len(data) == shape[0] and all(_is_nested(item, shape[1:]) for item in data)
