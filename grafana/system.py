"""The machine below the model: host, container, the server's process, GPUs."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.board import board, model
from grafana.panels import UP_DOWN, dashed, graph, setting, states
from grafana.query import MODEL, Query, of, rate
from grafana.system_gpu import gpus

NO_HOST = "collect.host is off in the config"
NO_CONTAINER = "not in a container, or it has no limit; or collect.container is off"
NO_PROCESS = "the server's process is not watched: see `server.process` in the config"
WHERE = "{{instance}}"
SMALL = (8, 8)


def system() -> Dashboard:
    return board(
        "system",
        "System & GPU",
        "The machine that a model's server runs on: CPU, memory, disks, container, the server's process, GPUs.",
        [("Host", _host()), ("Container", _container()), ("Server process", _process()), ("GPUs", gpus())],
        since="now-6h",
        variables=[model(several=True)],
    )


def _host() -> list[Builder[Any]]:
    host = 'scope="host"'
    return [
        graph(
            "CPU",
            "CPU in use on the host, as a share of all cores, and the load of one minute per core.",
            "percentunit",
            Query(f"max by (instance) ({of('cpu_utilization_ratio', host)})", f"CPU {WHERE}"),
            Query(f"max by (instance) ({of('load1_ratio', host)})", f"load {WHERE}"),
            empty=NO_HOST,
            size=SMALL,
            maximum=1,
        ),
        graph(
            "Memory",
            "Memory in use on the host: what can't be given to another process without swapping.",
            "percentunit",
            Query(f"max by (instance) ({of('memory_utilization_ratio', host)})", WHERE),
            empty=NO_HOST,
            size=SMALL,
            maximum=1,
        ),
        graph(
            "Disks",
            "Space in use, as a share of all.",
            "percentunit",
            Query(f"max by (instance, path) ({of('disk_utilization_ratio', host)})", f"{{{{path}}}} {WHERE}"),
            empty=NO_HOST,
            size=SMALL,
            maximum=1,
        ),
    ]


def _container() -> list[Builder[Any]]:
    box = 'scope="container"'
    return [
        dashed(
            graph(
                "Memory of the container",
                "Its working set, and (dashed) what it may have before the kernel kills.",
                "bytes",
                Query(f"max by (instance) ({of('memory_used_bytes', box)})", f"used {WHERE}"),
                Query(f"max by (instance) ({of('memory_limit_bytes', box)})", f"limit {WHERE}"),
                empty=NO_CONTAINER,
                size=SMALL,
            ),
            "^limit ",
        ),
        dashed(
            graph(
                "CPU of the container",
                "Its use, and the share of scheduling periods in which it was held back; dashed: the cores it may use.",
                "percentunit",
                Query(f"max by (instance) ({of('cpu_utilization_ratio', box)})", f"used {WHERE}"),
                Query(f"max by (instance) ({of('cpu_throttled_ratio', box)})", f"throttled {WHERE}"),
                Query(f"max by (instance) ({of('cpu_limit_cores', box)})", f"limit, cores {WHERE}"),
                empty=NO_CONTAINER,
                size=SMALL,
            ),
            "^limit",
        ).override_by_regexp("/^limit/", [setting("unit", "none"), setting("custom.axisPlacement", "right")]),
        graph(
            "Throttled",
            "Time a second for which the container's CPU was held back.",
            "percentunit",
            Query(rate("cpu_throttled_seconds_total", box, by="instance"), WHERE),
            empty=NO_CONTAINER,
            size=SMALL,
        ),
        graph(
            "Pressure",
            "Share of time in which some, or all, tasks waited for CPU, memory or disks.",
            "percentunit",
            Query(
                f"max by (instance, resource, kind) ({of('pressure_ratio', box)})", "{{resource}} {{kind}} {{instance}}"
            ),
            empty="the kernel tells no pressure (PSI), or not in a container",
            size=(12, 8),
        ),
        graph(
            "Killed for want of memory",
            "Processes that the kernel killed in the container in the last 15 minutes.",
            "none",
            Query(f"max by (instance) ({of('oom_kills_recent', box)})", WHERE),
            empty=NO_CONTAINER,
            size=(12, 8),
        ),
    ]


def _process() -> list[Builder[Any]]:
    process = 'scope="process"'
    named = "{{model}} {{instance}}"
    by = "by (model, instance)"
    return [
        states(
            "The server's process",
            "Whether it was found.",
            UP_DOWN,
            Query(f"min {by} ({of('server_process_up', MODEL)})", named),
            empty=NO_PROCESS,
            size=(8, 6),
        ),
        graph(
            "Running for",
            "Time since the process started. A fall is a restart.",
            "s",
            Query(f"time() - max {by} ({of('server_start_time_seconds', MODEL)})", named),
            empty=NO_PROCESS,
            size=(8, 6),
        ),
        graph(
            "Restarts",
            "Times that the process was another one than before, in 15 minutes.",
            "none",
            Query(f"max {by} ({of('server_restarts_recent', MODEL)})", named),
            empty=NO_PROCESS,
            size=(8, 6),
        ),
        graph(
            "CPU of the server",
            "Of the process and its descendants, as a share of all cores.",
            "percentunit",
            Query(f"max {by} ({of('cpu_utilization_ratio', MODEL, process)})", named),
            empty=NO_PROCESS,
            size=SMALL,
        ),
        graph(
            "Memory of the server",
            "Of the process and its descendants.",
            "bytes",
            Query(f"max {by} ({of('memory_used_bytes', MODEL, process)})", named),
            empty=NO_PROCESS,
            size=SMALL,
        ),
        graph(
            "Files, threads, processes",
            "Open files as a share of the limit (right), threads and processes of the server.",
            "none",
            Query(f"max {by} ({of('server_threads', MODEL)})", f"threads {named}"),
            Query(f"max {by} ({of('server_processes', MODEL)})", f"processes {named}"),
            Query(f"max {by} ({of('server_open_fds', MODEL)})", f"files {named}"),
            Query(f"max {by} ({of('server_fd_utilization_ratio', MODEL)})", f"of the limit {named}"),
            empty=NO_PROCESS,
            size=SMALL,
        ).override_by_regexp(
            "/^of the limit/", [setting("unit", "percentunit"), setting("custom.axisPlacement", "right")]
        ),
    ]
