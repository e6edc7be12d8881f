"""Rules of Prometheus as the text of a rule file, or of a PrometheusRule for the Prometheus operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Groups = Sequence[Mapping[str, Any]]


def plain(head: Sequence[str], groups: Groups) -> str:
    """A rule file; `head` are its first lines, as comments."""
    return _text(head, {"groups": list(groups)})


def resource(head: Sequence[str], groups: Groups, labels: Mapping[str, str]) -> str:
    """A PrometheusRule; `labels` are those by which the operator's Prometheus chooses its rules."""
    named = {"name": "watchkeeper", "labels": {"app.kubernetes.io/name": "watchkeeper", **labels}}
    kind = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule"}
    return _text(head, {**kind, "metadata": named, "spec": {"groups": list(groups)}})


def _text(head: Sequence[str], body: Mapping[str, Any]) -> str:
    import yaml

    lines = [f"# {line}" for line in head]
    return "\n".join(lines) + "\n" + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000)
