"""What config keys and metrics were called in earlier releases, so that an old name is refused with the new one."""

from __future__ import annotations

from checks.catalog import CATALOG
from checks.suggest import did_you_mean
from monitor.config.yaml_document import Place

KEYS = {
    "checks.drift.over": "lookback",
    "collect.probe_hosts": "allowed_probe_hosts",
    "hosts": "allowed_hosts",
    "slack.direct": "also_direct",
    "windows.lateness": "allowed_lateness",
}
"""By the old key's place in a model's part or the whole file."""

METRICS = {
    "gpu_pcie_throughput_bytes": "gpu_pcie_throughput_bytes_per_second",
    "gpu_temperature_left_celsius": "gpu_temperature_headroom_celsius",
    "probe_certificate_left_seconds": "probe_certificate_remaining_seconds",
}


def new_key(key: str, place: Place) -> str | None:
    """Return what the old `key` in the section at `place` is called now; None for one that never was."""
    inside = place[2:] if place[:1] == ("models",) else place
    return KEYS.get(".".join(map(str, (*inside, key))))


def unknown_metric(name: str) -> str:
    """Return the sentence that refuses a metric which the catalogue lacks."""
    plain = name.removeprefix("watchkeeper_")
    if plain in METRICS:
        return f"metric {name!r} is now called {METRICS[plain]!r}"
    known = f"known: {', '.join(sorted(CATALOG))}"
    return f"unknown metric {name!r}{did_you_mean(plain, CATALOG, known)}"
