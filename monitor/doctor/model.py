"""A model: its reference, its server, that server's process, and its probes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from monitor.clock import Clock
from monitor.collectors.exchange import Client
from monitor.collectors.exposition import read
from monitor.collectors.preset import load_preset
from monitor.collectors.scrape import ScrapeError, fetch
from monitor.doctor.finding import Finding, missing, off, ok, problem
from monitor.settings import CollectSettings, ModelSettings

_TIMEOUT = 5.0


def reference(settings: ModelSettings) -> Iterator[Finding]:
    name = f"{settings.model}: reference"
    if settings.reference is None:
        yield missing(name, "there is none, so drift is not measured", "give a sample of normal data under reference")
        return
    from monitor.preflight import ReferenceProblem, schema_of

    try:
        schema = schema_of(settings)
    except ReferenceProblem as error:
        yield problem(name, str(error))
        return
    assert schema is not None
    target = f"target {schema.target}" if schema.target else "no target, so performance has no reference"
    yield ok(name, f"{settings.reference}: {schema.task or 'no task'}, {len(schema.features)} features, {target}")


def server(settings: ModelSettings, clock: Clock) -> Iterator[Finding]:
    name, asked = f"{settings.model}: server", settings.server
    if asked is None:
        yield missing(name, "none is configured: no latency, errors, traffic", "give its address under server")
        return
    url = asked.url.rstrip("/") + asked.metrics_path
    try:
        text = fetch(Client(clock.monotonic), url, min(asked.timeout, _TIMEOUT))
    except ScrapeError as error:
        yield problem(name, f"{url}: {error}", "start it, or set server.url and server.metrics_path right")
        return
    preset = load_preset(asked.preset)
    totals = read(text, preset, asked.exclude)
    counters = [counter.counter for counter in preset.requests]
    if (
        not totals.requests
        and not totals.excluded
        and not {item.removesuffix("_total") for item in counters} & totals.names
    ):
        todo = f"is preset {asked.preset!r} right? It reads {' or '.join(counters)}"
        yield problem(name, f"{url} answers, but counts no requests that are known", todo)
        return
    count = sum(totals.requests.values())
    lacking = preset.latency is not None and preset.latency.histogram not in totals.names
    if lacking and preset.latency is not None:
        yield problem(name, f"{url}: no histogram {preset.latency.histogram}", "latency is not measured without it")
    else:
        yield ok(name, f"{url}: {len(totals.names)} families, {count:.0f} requests so far")


def process(settings: ModelSettings) -> Iterator[Finding]:
    name, asked = f"{settings.model}: process", settings.server
    if asked is None or asked.process is False:
        yield off(name, "not asked for")
        return
    from monitor.collectors.process_finder import NotFound, Undecided, at, finder
    from monitor.collectors.procfs import table

    proc = Path("/proc")
    if not (proc / "self/stat").exists():
        yield missing(name, "this system has no /proc")
        return
    own = os.getpid()
    found = at(asked.url, proc, own) if asked.process is True else finder(asked.process, proc, own)
    try:
        process = found.find(table(proc))
    except NotFound as error:
        yield (missing if asked.process is True else problem)(name, str(error))
    except Undecided as error:
        yield problem(name, str(error))
    else:
        yield ok(name, f"pid {process.pid} ({process.name})")


def probes(settings: ModelSettings, collect: CollectSettings, clock: Clock) -> Iterator[Finding]:
    """Asks each probe's question once, as the daemon does."""
    if not settings.probes:
        yield off(f"{settings.model}: probes", "none")
        return
    from monitor.collectors.probe import ProbeCollector

    collector = ProbeCollector(settings, collect, clock)
    names = [probe.name for probe in settings.probes]
    end = clock.monotonic() + max(probe.timeout for probe in settings.probes) + 1.0
    outcomes: dict[str, tuple[float | None, str]] = {}
    while len(outcomes) < len(names) and clock.monotonic() < end:
        for row in collector.collect(clock.time(), clock.monotonic()):
            if row.name == "probe_up" and row.value is not None:
                outcomes[dict(row.labels)["probe"]] = row.value, str(row.detail.get("error", ""))
    for probe in names:
        up, said = outcomes.get(probe, (None, "no answer"))
        name = f"{settings.model}: probe {probe}"
        yield ok(name, "answered as expected") if up else problem(name, said)
