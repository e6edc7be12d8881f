"""A model's server: whether its metrics can be read, and whether they are those that the preset reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from alerts.redact import shown_url
from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.collectors.authorized import AuthorizedClient
from monitor.collectors.server.exposition import family, lines
from monitor.collectors.server.increase import Baseline
from monitor.collectors.server.parse import EXCLUDED, REQUEST, Totals, read
from monitor.collectors.server.preset import Preset, load_preset
from monitor.collectors.server.processes import REMEDY, Answered, Processes
from monitor.collectors.server.scrape import ScrapeError, fetch
from monitor.net.client import Client
from monitor.settings.server import ServerSettings

TIMEOUT = 5.0
"""Seconds at most; less if the config says less."""
PAGES, AGAIN = 10, 1.0
"""How often the page is asked for to see whether it is the same process's each time, and within how many seconds."""
_OF_EVERY_PROCESS = ("python_", "process_", "go_")


def server(settings: ServerSettings | None, client: Client) -> Iterator[Finding]:
    if settings is None:
        yield missing("", "none is named: no traffic, errors, latency", "give its address under `server`")
        return
    url = settings.url.rstrip("/") + settings.metrics_path
    shown, preset = shown_url(url), load_preset(settings.preset)
    try:
        authorized = AuthorizedClient(client, settings)
        page = fetch(authorized, url, min(settings.timeout, TIMEOUT))
        totals = read(page, preset, settings.exclude)
    except ScrapeError as error:
        yield problem("", f"{shown}: {error}", _advice(str(error), settings))
        return
    counters = [counter.counter for counter in preset.requests]
    if not {name.removesuffix("_total") for name in counters} & totals.names:
        has = ", ".join(_families(page)[:4]) or "nothing of its own"
        yield problem(
            "",
            f"{shown} has no {' or '.join(counters)}, which preset {settings.preset} reads; it has {has}",
            "set server.preset and server.metrics_path right, or add the exporter that the preset is for",
        )
        return
    yield from _found(f"{shown} (preset {settings.preset})", preset, totals)
    if _several(partial(fetch, authorized, url), settings, preset, client.monotonic):
        yield problem("", f"{shown} shows another worker's counters each time, which do not add up", REMEDY)


def _several(
    ask: Callable[[float], bytes], settings: ServerSettings, preset: Preset, monotonic: Callable[[], float]
) -> bool:
    """Whether pages that are asked for one after the other come from processes that count by themselves."""
    baseline, processes, begun = Baseline(TIMEOUT), Processes(), monotonic()
    fell, other = 0, False
    for _ in range(PAGES):
        left = begun + AGAIN - monotonic()
        if left <= 0 or (fell and other):
            break
        try:
            page = read(ask(min(left, settings.timeout)), preset, settings.exclude)
        except ScrapeError:
            break
        counts = baseline.take(page, 0.0)
        fell += counts.fell
        other = processes.judge(page, counts) is not Answered.SAME or other
    return fell > 0 and other


def _found(shown: str, preset: Preset, totals: Totals) -> Iterator[Finding]:
    if totals.refused_counter:
        yield problem("", f"{shown} has {totals.refused_counter}", "have the server count upwards from 0")
        return
    count, apart = totals.total(REQUEST), totals.total(EXCLUDED)
    text = f"{shown}: {count:.0f} requests so far" + (f", {apart:.0f} more on excluded routes" if apart else "")
    latency = preset.latency
    if wrong := totals.latency_problem(preset):
        yield problem("", f"{text}; it {wrong}", "latency is not measured without it")
    elif totals.skipped:
        yield problem(
            "", f"{text}; {totals.skipped}, and is left out", "have the server give each bucket a number as le"
        )
    else:
        yield ok("", text + (f"; latency in {latency.histogram}" if latency else "; it tells no latency"))


def _advice(error: str, settings: ServerSettings) -> str:
    if error.startswith("answered 404"):
        return f"set server.metrics_path, or have the server show its metrics there (preset {settings.preset})"
    if error.startswith(("answered 401", "answered 403")):
        sent = "look at server.token" if settings.token else "name a token that may read it as server.token_file"
        return f"{sent}, or let this machine read it without a token"
    if error.startswith(("answered", "redirected", "the page")):
        return "set server.url and server.metrics_path to the page of metrics itself"
    return "start it, or set server.url and server.metrics_path right"


def _families(page: bytes) -> list[str]:
    """Names of the metrics on a page, but for those that every process has."""
    names = (family(line) for line in lines(page, ()) if line.startswith("# TYPE "))
    return [name for name in names if name and not name.startswith(_OF_EVERY_PROCESS)]
