"""GPUs: what they do, and what holds them down."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.cog.builder import Builder

from grafana.panels import UP_DOWN, dashed, graph, states
from grafana.query import Query, of, rate

EMPTY = "no GPU, or Watchkeeper can't see it: `watchkeeper doctor` says why"
SMALL = (8, 8)
_BY = "by (instance, gpu, uuid)"
_NAMED = "GPU {{gpu}} {{instance}}"


def gpus() -> list[Builder[Any]]:
    return [*_use(), *_health()]


def _use() -> list[Builder[Any]]:
    return [
        graph(
            "GPU in use",
            "Share of time in which the GPU was busy.",
            "percentunit",
            _of("gpu_utilization_ratio"),
            empty=EMPTY,
            size=SMALL,
            maximum=1,
        ),
        dashed(
            graph(
                "GPU memory",
                "In use, by the server's processes, and (dashed) all there is.",
                "bytes",
                _of("gpu_memory_used_bytes", "used "),
                _of("gpu_process_memory_bytes", "by the server "),
                _of("gpu_memory_limit_bytes", "all "),
                empty=EMPTY,
                size=SMALL,
            ),
            "^all ",
        ),
        graph(
            "GPU memory in use",
            "As a share of all.",
            "percentunit",
            _of("gpu_memory_utilization_ratio"),
            empty=EMPTY,
            size=SMALL,
            maximum=1,
        ),
        dashed(
            graph(
                "Power",
                "That the GPU draws, measured and from its energy; dashed: what it may draw.",
                "watt",
                _of("gpu_power_watts", "drawn "),
                Query(rate("gpu_energy_joules_total", by="instance, gpu, uuid"), f"by energy {_NAMED}"),
                _of("gpu_power_limit_watts", "may draw "),
                empty=EMPTY,
                size=SMALL,
            ),
            "^may draw ",
        ),
        graph(
            "Clocks",
            "Frequencies, by clock.",
            "hertz",
            Query(f"max by (instance, gpu, clock) ({of('gpu_clock_hertz')})", f"{{{{clock}}}} {_NAMED}"),
            empty=EMPTY,
            size=SMALL,
        ),
        graph(
            "PCIe",
            "Bytes a second to and from the GPU.",
            "Bps",
            Query(
                f"max by (instance, gpu, direction) ({of('gpu_pcie_throughput_bytes_per_second')})",
                f"{{{{direction}}}} {_NAMED}",
            ),
            empty=EMPTY,
            size=SMALL,
        ),
    ]


def _health() -> list[Builder[Any]]:
    slowed = Query(f"max by (instance, gpu, reason) ({of('gpu_throttled')})", f"{{{{reason}}}} {_NAMED}")
    return [
        graph(
            "Temperature",
            "Of the GPU, and how many degrees are left until it slows itself down.",
            "celsius",
            _of("gpu_temperature_celsius"),
            _of("gpu_temperature_headroom_celsius", "headroom "),
            empty=EMPTY,
            size=SMALL,
        ),
        states(
            "GPU there",
            "Whether each GPU answers. One that was lost stays on the list.",
            UP_DOWN,
            _of("gpu_up"),
            empty=EMPTY,
            size=SMALL,
        ),
        states(
            "Held down",
            "Why clocks are lower than they could be. `gpu_idle` is no fault.",
            {"0": ("no", "green"), "1": ("yes", "orange")},
            slowed,
            empty=EMPTY,
            size=SMALL,
        ),
        graph(
            "Memory errors",
            "ECC errors since the driver was loaded, as they come.",
            "none",
            Query(
                f"sum by (instance, gpu, type) (increase({of('gpu_ecc_errors_total')}[$__rate_interval]))",
                f"{{{{type}}}} {_NAMED}",
            ),
            empty="no GPU, or one without ECC",
            size=SMALL,
        ),
        graph(
            "XID errors",
            "Errors that the driver reported in the last 15 minutes, by XID.",
            "none",
            Query(f"max by (instance, gpu, xid) ({of('gpu_xid_errors_recent')})", f"XID {{{{xid}}}} {_NAMED}"),
            empty="no XID was reported",
            size=SMALL,
        ),
        graph(
            "Questions that failed",
            "Questions to the GPU's driver that it did not answer, a second, by error.",
            "cps",
            Query(rate("gpu_query_failures_total", by="instance, error"), "{{error}} {{instance}}"),
            empty="no question has failed",
            size=SMALL,
        ),
    ]


def _of(name: str, what: str = "") -> Query:
    return Query(f"max {_BY} ({of(name)})", f"{what}{_NAMED}")
