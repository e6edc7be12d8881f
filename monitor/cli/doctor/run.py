"""Runs every examination side by side, within the time that all have together."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from alerts.redact import secrets, without
from monitor.cli.doctor import (
    alertmanager,
    container,
    daemon,
    database,
    gpu,
    machine,
    probe,
    process,
    reference,
    server,
    slack,
    slack_buttons,
)
from monitor.cli.doctor import clock as clock_checks
from monitor.cli.doctor.clock_offset import Offsets, TimedClient
from monitor.cli.doctor.finding import Examination, Finding, problem
from monitor.clock import Clock
from monitor.settings.root import Config
from monitor.settings.server import CollectSettings

SECONDS = 9.0
"""All examinations together."""


def examine(config: Config | None, file: Path, clock: Clock) -> list[Finding]:
    """What is found around the config, which was read from `file`; without one, what is found of the machine."""
    offsets = Offsets(clock)
    found = side_by_side(examinations(config, file, clock, offsets), clock)
    # The last, for it takes what others have heard.
    found += side_by_side({"clock": partial(clock_checks.clock, offsets)}, clock)
    hidden = secrets(config, os.environ) if config else []
    return [replace(item, found=without(item.found, hidden), todo=without(item.todo, hidden)) for item in found]


def examinations(config: Config | None, file: Path, clock: Clock, offsets: Offsets) -> dict[str, Examination]:
    """Every examination by its name, in the order in which they are shown."""
    collect = config.collect if config else CollectSettings()
    found: dict[str, Examination] = {
        "watchkeeper": machine.release,
        "config": partial(machine.config, config, file),
        "limits": machine.limits,
        "gpu": partial(gpu.gpu, collect, clock),
        "container": partial(container.container, collect, config.worker if config else None),
    }
    if config is None:
        return found
    found |= {"database": partial(database.database, config), "daemon": partial(daemon.daemon, config, clock)}
    client = TimedClient(clock, offsets)
    for model in config.models:
        name = model.model
        found[f"{name}: reference"] = partial(reference.reference, model)
        found[f"{name}: server"] = partial(server.server, model.server, client)
        found[f"{name}: process"] = partial(process.process, model.server, collect)
        for item in model.probes:
            found[f"{name}: probe {item.name}"] = partial(probe.probe, item, model, collect, clock)
    found["slack"] = partial(slack.slack, config, offsets)
    found["slack buttons"] = partial(slack_buttons.slack_buttons, config)
    for label, member in alertmanager.members(config):
        found[label] = partial(alertmanager.alertmanager, config.alertmanager, member, client)
    return found


def side_by_side(examinations: Mapping[str, Examination], clock: Clock, seconds: float = SECONDS) -> list[Finding]:
    """What they find, in their order. One that raises, or takes too long, is a problem of its own."""
    found: dict[str, list[Finding]] = {name: [] for name in examinations}
    threads = {
        name: threading.Thread(target=_one, args=(name, examination, found[name]), name=name, daemon=True)
        for name, examination in examinations.items()
    }
    for thread in threads.values():
        thread.start()
    end = clock.monotonic() + seconds
    for thread in threads.values():
        thread.join(max(0.0, end - clock.monotonic()))
    rows = []
    for name, thread in threads.items():
        late = thread.is_alive()
        rows += [replace(item, name=item.name or name) for item in tuple(found[name])]
        if late:
            rows.append(problem(name, f"no answer within {seconds:g} s", "look whether something hangs there"))
    return rows


def _one(name: str, examination: Examination, found: list[Finding]) -> None:
    try:
        for item in examination():
            found.append(item)  # one by one: what comes before a hang, or an error, is kept
    except Exception as error:  # noqa: BLE001 - the loop's boundary: what one examination raises is its finding
        found.append(problem(name, f"could not be examined: {type(error).__name__}: {error}"))
