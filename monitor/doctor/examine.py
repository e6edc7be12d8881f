"""Runs every examination side by side, each within the time that all have."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial

from monitor.clock import Clock
from monitor.doctor import machine, model, receivers, storage
from monitor.doctor.finding import Examination, Finding, problem
from monitor.settings import CollectSettings, Config

SECONDS = 10.0
"""All examinations together."""


def examinations(config: Config | None, clock: Clock) -> dict[str, Examination]:
    """Every examination by its name, in the order in which they are shown; without a config those of the machine."""
    collect = config.collect if config else CollectSettings()
    found: dict[str, Examination] = {
        "watchkeeper": machine.release,
        "clock": machine.clock,
        "gpu": partial(machine.gpu, collect, clock),
        "container": partial(machine.container, collect, clock),
    }
    if config is None:
        return found
    found |= {"database": partial(storage.database, config), "daemon": partial(storage.daemon, config, clock)}
    for settings in config.models:
        name = settings.model
        found[f"{name}: reference"] = partial(model.reference, settings)
        found[f"{name}: server"] = partial(model.server, settings, clock)
        found[f"{name}: process"] = partial(model.process, settings)
        found[f"{name}: probes"] = partial(model.probes, settings, collect, clock)
    found["slack"] = partial(receivers.slack, config)
    found["alertmanager"] = partial(receivers.alertmanager, config, clock)
    return found


def examine(examinations: Mapping[str, Examination], clock: Clock, seconds: float = SECONDS) -> list[Finding]:
    """What they find. One that raises, or takes too long, is a problem of its own."""
    found: dict[str, list[Finding]] = {}
    threads = [
        threading.Thread(target=_one, args=(name, examination, found), daemon=True)
        for name, examination in examinations.items()
    ]
    for thread in threads:
        thread.start()
    end = clock.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - clock.monotonic()))
    late = [problem("", f"no answer within {seconds:g} s", "look whether something hangs there")]
    rows = []
    for name in examinations:
        for item in found.get(name, late):
            rows.append(Finding(item.name or name, item.status, item.found, item.todo))
    return rows


def _one(name: str, examination: Examination, found: dict[str, list[Finding]]) -> None:
    try:
        found[name] = list(examination())
    except Exception as error:  # noqa: BLE001 - the loop's boundary: what one examination raises is its finding
        found[name] = [problem(name, f"could not be examined: {type(error).__name__}: {error}")]
