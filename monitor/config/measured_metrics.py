"""Which metrics a config has measured, by what, and how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from checks.catalog import CATALOG
from checks.suggest import nearest
from monitor.settings.model import ModelSettings
from monitor.settings.root import Config


class MetricSource(NamedTuple):
    """What measures some metrics, where it does."""

    needs: str
    """What a config must have for that, in words."""
    paces: frozenset[float]
    """Seconds between two samples, of each place that samples; empty where nothing does."""


def source(config: Config, metric: str) -> MetricSource | None:
    """What measures a metric of the catalogue; None where it is measured whatever the config says."""
    entry = CATALOG[metric]
    if entry.clock == "event":
        return _of_check(config.models, entry.check)
    for prefixes, words, paces in _SAMPLED:
        if metric.startswith(prefixes):
            return MetricSource(words, frozenset(paces(config)))
    return None


def produced(config: Config) -> list[str]:
    """Every metric that something measures."""
    found = ((metric, source(config, metric)) for metric in CATALOG)
    return [metric for metric, its in found if its is None or its.paces]


def unmeasured(metric: str, config: Config) -> str | None:
    """Why nothing in this config measures a metric of the catalogue, if so."""
    found = source(config, metric)
    if found is None or found.paces:
        return None
    close = nearest(metric, produced(config), cutoff=0.0)
    hint = f"; the nearest that is measured is {close!r}" if close else ""
    return f"nothing in this config measures {metric}: it needs {found.needs}{hint}"


def pace(config: Config, metric: str) -> float | None:
    """Seconds between two samples of a sampled metric, where they are the same everywhere."""
    found = source(config, metric)
    if found is None:
        return config.evaluate
    return min(found.paces) if len(found.paces) == 1 else None


def _of_check(models: Sequence[ModelSettings], check: str) -> MetricSource | None:
    on: dict[str, Callable[[ModelSettings], bool]] = {
        "drift": lambda model: model.checks.drift is not None,
        "quality": lambda model: model.checks.quality,
        "performance": lambda model: model.checks.performance,
        "evidently": lambda model: bool(model.checks.evidently),
    }
    if check not in on:
        return None
    words = "a check of `type: evidently`" if check == "evidently" else f"checks.{check}"
    return MetricSource(words, frozenset(model.windows.every for model in models if on[check](model)))


def _servers(config: Config) -> list[float]:
    return [model.server.interval for model in config.models if model.server is not None]


def _processes(config: Config) -> list[float]:
    watched = (model.server is not None and model.server.process is not False for model in config.models)
    return [config.collect.interval for found in watched if found]


def _host(config: Config) -> list[float]:
    return [config.collect.interval] if config.collect.host else []


def _containers(config: Config) -> list[float]:
    return [config.collect.interval] if config.collect.container else []


def _machine(config: Config) -> list[float]:
    return [*_host(config), *_containers(config)]


_SAMPLED: tuple[tuple[tuple[str, ...], str, Callable[[Config], list[float]]], ...] = (
    (("server_up", "request_rate", "error_ratio", "latency_"), "server", _servers),
    (("server_",), "server, with its process", _processes),
    (("probe_",), "probes", lambda config: [probe.interval for model in config.models for probe in model.probes]),
    (("gpu_",), "collect.gpu", lambda config: [config.collect.interval] * config.collect.gpu),
    (("load1_", "disk_"), "collect.host", _host),
    (("cpu_limit_", "memory_limit_", "cpu_throttled_", "oom_", "pressure_"), "collect.container", _containers),
    (("cpu_", "memory_"), "collect.host or collect.container", _machine),
)
"""By how a metric's name begins; the first that fits is meant."""
