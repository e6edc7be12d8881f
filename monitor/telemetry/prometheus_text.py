"""/metrics as bytes. Gauges, of which there are thousands, are written here at a third of the client's cost;
everything else is the client's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

_END = b"# EOF\n"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_PLAIN_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass(frozen=True)
class _Some:
    metrics: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def render(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The exposition in the format that the Accept header asks for, and its content type."""
    try:
        encode, content_type = choose_encoder(accept)
    except (ValueError, TypeError):  # a version that is no number
        encode, content_type = choose_encoder("")
    gauges: list[Metric] = []
    others: list[Metric] = []
    for metric in registry.collect():
        # When each counter began doubles the series and is asked for by nobody here.
        metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
        (gauges if metric.type == "gauge" else others).append(metric)
    head = encode(_Some(others))
    openmetrics = head.endswith(_END)
    lines: list[str] = []
    for metric in gauges:
        _write(metric, openmetrics, lines)
    body = "".join(lines).encode()
    return (head[: -len(_END)] + body + _END if openmetrics else head + body), content_type


def _write(metric: Metric, openmetrics: bool, lines: list[str]) -> None:
    text = metric.documentation.translate(_ESCAPES if openmetrics else _PLAIN_ESCAPES)
    lines.append(f"# HELP {metric.name} {text}\n# TYPE {metric.name} gauge\n")
    for sample in metric.samples:
        number = _number(sample.value)
        if not sample.labels:
            lines.append(f"{sample.name} {number}\n")
            continue
        pairs = ",".join([f'{name}="{_escaped(value)}"' for name, value in sample.labels.items()])
        lines.append(f"{sample.name}{{{pairs}}} {number}\n")


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _escaped(value: str) -> str:
    if "\\" in value or "\n" in value or '"' in value:
        return value.translate(_ESCAPES)
    return value
