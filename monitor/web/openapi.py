"""The API's description at /schema: JSON, made when first asked for, without a viewer (those come from a CDN)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Example,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)

from monitor.telemetry.metrics import release

_STRING = Schema(type=OpenAPIType.STRING)
_NUMBER = Schema(type=OpenAPIType.NUMBER)
_TIME = Schema(
    type=[OpenAPIType.STRING, OpenAPIType.NUMBER],
    description="RFC 3339, or epoch seconds; the time of receipt unless given.",
)
_SCALAR = Schema(type=[OpenAPIType.STRING, OpenAPIType.NUMBER, OpenAPIType.BOOLEAN])
_VALUE = Schema(type=[OpenAPIType.STRING, OpenAPIType.NUMBER, OpenAPIType.BOOLEAN, OpenAPIType.NULL])

_PREDICTION = Schema(
    title="Prediction",
    type=OpenAPIType.OBJECT,
    required=["id", "prediction"],
    properties={
        "id": _STRING,
        "time": _TIME,
        "features": Schema(type=OpenAPIType.OBJECT, additional_properties=_VALUE),
        "prediction": _SCALAR,
        "probabilities": Schema(
            description="By class, in the classes' order, or the positive class's alone.",
            one_of=[
                Schema(type=OpenAPIType.OBJECT, additional_properties=_NUMBER),
                Schema(type=OpenAPIType.ARRAY, items=_NUMBER),
                _NUMBER,
            ],
        ),
        "latency_seconds": Schema(type=OpenAPIType.NUMBER, minimum=0),
        "version": _STRING,
        "tags": Schema(type=OpenAPIType.OBJECT, additional_properties=_STRING),
    },
)
_LABEL = Schema(
    title="Label",
    type=OpenAPIType.OBJECT,
    required=["id", "label"],
    properties={"id": _STRING, "label": _SCALAR, "time": _TIME},
)


def _body(row: Schema, example: dict[str, Any]) -> RequestBody:
    many = Schema(one_of=[Schema(type=OpenAPIType.ARRAY, items=row), row])
    shown: dict[str, Example | Reference] = {"batch": Example(value=[example])}
    return RequestBody(
        required=True,
        description="An array, one object, or an object a line (NDJSON); plain or gzip.",
        content={
            "application/json": OpenAPIMediaType(schema=many, examples=shown),
            "application/x-ndjson": OpenAPIMediaType(schema=row),
        },
    )


@dataclass
class PredictionsOperation(Operation):
    def __post_init__(self) -> None:
        self.request_body = _body(
            _PREDICTION,
            {
                "id": "a81f",
                "time": "2026-01-31T12:00:00Z",
                "features": {"distance": 733, "carrier": "UA"},
                "prediction": 1,
                "probabilities": {"0": 0.2, "1": 0.8},
            },
        )


@dataclass
class LabelsOperation(Operation):
    def __post_init__(self) -> None:
        self.request_body = _body(_LABEL, {"id": "a81f", "label": 0, "time": "2026-01-31T18:30:00Z"})


@dataclass
class _Described(OpenAPIConfig):
    """Knows the handlers' docstrings although the daemon runs without any (`python -OO`, `monitor.cli.run`)."""

    handlers: Sequence[HTTPRouteHandler] = field(default=())

    def to_openapi_schema(self) -> OpenAPI:
        for handler in self.handlers:
            if handler.fn.__doc__ is None:
                handler.fn.__doc__ = _written(handler.fn)
        return super().to_openapi_schema()


def _written(function: Callable[..., Any]) -> str | None:
    """The function's docstring as its source has it."""
    code = function.__code__
    for node in ast.walk(ast.parse(Path(code.co_filename).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
            first = min(item.lineno for item in (node, *node.decorator_list))
            if first == code.co_firstlineno:
                return ast.get_docstring(node)
    return None


def config(handlers: Sequence[HTTPRouteHandler]) -> OpenAPIConfig:
    """The description of these handlers, by their docstrings."""
    return _Described(
        title="Watchkeeper",
        version=release(),
        path="/schema",
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        handlers=handlers,
    )
