"""This installation: its release, its config file, and what the system allows it."""

from __future__ import annotations

import platform
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.settings.root import Config
from monitor.telemetry.metrics import release as installed_release

FEW_FILES = 1024
LITTLE_SPACE = 4 << 30
"""Bytes of addresses; pyarrow maps over a gigabyte of them for little memory."""


def release() -> Iterator[Finding]:
    system = f"{platform.system()} {platform.release()}"
    yield ok("", f"{installed_release()}, Python {platform.python_version()} in {sys.prefix}, {system}")


def config(settings: Config | None, file: Path) -> Iterator[Finding]:
    if settings is None:
        yield missing("", f"there is no {file} here: only the machine is looked at", "`watchkeeper init` writes one")
        return
    from monitor.cli.remarks import config_remarks, model_remarks
    from monitor.config.rules_in_force import all_rules

    names, rules = ", ".join(model.model for model in settings.models), all_rules(settings)
    yield ok("", f"{file}: {names}; {len(rules)} rules in force")
    for model in settings.models:
        yield from (missing(f"{model.model}: remark", remark) for remark in model_remarks(model))
    yield from (missing("remark", remark) for remark in config_remarks(settings, rules))


def limits() -> Iterator[Finding]:
    """What the system allows a process that is started as this one was."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if 0 <= files < FEW_FILES:
        yield problem("", f"only {files} open files", "raise it (ulimit -n, LimitNOFILE): each connection takes one")
    if 0 <= space < LITTLE_SPACE:
        found = f"only {space >> 20} MiB of addresses (ulimit -v)"
        yield problem("", found, "lift it: the worker maps more than it uses; worker.memory_bytes limits its memory")
    if files >= FEW_FILES or files < 0:
        yield ok("", "any number of open files" if files < 0 else f"{files} open files")
