"""A model's server: whether its metrics can be read, and whether they are those that the preset reads."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.redact import shown_url
from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.collectors.server.parse import Totals, read
from monitor.collectors.server.preset import Preset, load_preset
from monitor.collectors.server.scrape import ScrapeError, fetch
from monitor.net.client import Client
from monitor.settings.server import ServerSettings

TIMEOUT = 5.0
"""Seconds at most; less if the config says less."""
_OF_EVERY_PROCESS = ("python_", "process_", "go_")


def server(settings: ServerSettings | None, client: Client) -> Iterator[Finding]:
    if settings is None:
        yield missing("", "none is named: no traffic, errors, latency", "give its address under `server`")
        return
    url = settings.url.rstrip("/") + settings.metrics_path
    shown, preset = shown_url(url), load_preset(settings.preset)
    try:
        text = fetch(client, url, min(settings.timeout, TIMEOUT))
        totals = read(text, preset, settings.exclude)
    except ScrapeError as error:
        yield problem("", f"{shown}: {error}", _advice(str(error), settings))
        return
    counters = [counter.counter for counter in preset.requests]
    if not {name.removesuffix("_total") for name in counters} & totals.names:
        has = ", ".join(_families(text)[:4]) or "nothing of its own"
        yield problem(
            "",
            f"{shown} has no {' or '.join(counters)}, which preset {settings.preset} reads; it has {has}",
            "set server.preset and server.metrics_path right, or add the exporter that the preset is for",
        )
        return
    yield from _found(f"{shown} (preset {settings.preset})", preset, totals)


def _found(shown: str, preset: Preset, totals: Totals) -> Iterator[Finding]:
    count, apart = sum(totals.requests.values()), sum(totals.excluded.values())
    text = f"{shown}: {count:.0f} requests so far" + (f", {apart:.0f} more on excluded routes" if apart else "")
    latency = preset.latency
    if latency is not None and latency.histogram not in totals.names:
        yield problem("", f"{text}; there is no histogram {latency.histogram}", "latency is not measured without it")
    else:
        yield ok("", text + (f"; latency in {latency.histogram}" if latency else "; it tells no latency"))


def _advice(error: str, settings: ServerSettings) -> str:
    if error.startswith("answered 404"):
        return f"set server.metrics_path, or have the server show its metrics there (preset {settings.preset})"
    if error.startswith(("answered 401", "answered 403")):
        return "let this machine read it without a token; Watchkeeper sends none"
    if error.startswith(("answered", "redirected", "the page")):
        return "set server.url and server.metrics_path to the page of metrics itself"
    return "start it, or set server.url and server.metrics_path right"


def _families(text: str) -> list[str]:
    """Names of the metrics on a page, but for those that every process has."""
    types = (line.split() for line in text.splitlines() if line.startswith("# TYPE "))
    return [words[2] for words in types if len(words) > 2 and not words[2].startswith(_OF_EVERY_PROCESS)]
