"""What a reload of the config takes over, and what only a restart would."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from monitor.clock import Clock
from monitor.config.errors import ConfigError
from monitor.settings.root import Config
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters

log = logging.getLogger("watchkeeper.reload")

TAKEN = ("rules", "default_rules")
"""Keys of the file that a reload takes over; each other one that changed needs a restart."""
UNUSED = ("rule_tests",)
"""Keys that mean nothing to a running daemon."""
PART = "config reload"


@dataclass(frozen=True)
class Reloaded:
    """`changed`: whether other rules are in force; `restart`: keys that changed and are not taken over."""

    rules: int
    changed: bool
    restart: tuple[str, ...]

    @property
    def description(self) -> str:
        """One sentence."""
        rules = f"{self.rules} rules are in force" + ("" if self.changed else ", as before")
        if not self.restart:
            return rules
        return f"{rules}; restart Watchkeeper for what else changed: {', '.join(self.restart)}"


class Reloader:
    """Reads the config file again and hands over what may change while the daemon runs; one at a time. A file that is
    wrong, or rules that can't be put in force, leave everything as it was."""

    def __init__(
        self,
        read: Callable[[Path], Config],
        path: Path,
        config: Config,
        apply: Callable[[Config], int],
        clock: Clock,
        health: Health,
        meters: Meters,
    ) -> None:
        """`read` reads and checks the file; `apply` puts a config's rules in force and returns how many they are."""
        self._read, self._path, self._config, self._apply = read, path, config, apply
        self._clock, self._health, self._meters = clock, health, meters
        self._one = threading.Lock()
        self._succeeded()

    def reload(self) -> Reloaded:
        """Raises ConfigError when the file is wrong, and whatever keeps its rules from being put in force."""
        with self._one:
            try:
                done = self._reloaded(self._read(self._path))
            except Exception as error:
                self._meters.config_reload_successful.set(0)
                said = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
                self._health.report(PART, f"the old rules stay in force: {said}")
                log.error("config not reloaded, the old rules stay in force: %s", said)
                raise
            self._succeeded()
            self._health.report(PART, None)
            log.info("config reloaded: %s", done.description)
            return done

    def _reloaded(self, config: Config) -> Reloaded:
        before = self._config
        used = (key for key in Config.model_fields if key not in UNUSED)
        different = [key for key in used if _stated(getattr(before, key)) != _stated(getattr(config, key))]
        # Also where nothing changed: the shipped rules may have, with the package.
        rules = self._apply(config)
        self._config = before.model_copy(update={key: getattr(config, key) for key in TAKEN})
        return Reloaded(
            rules, not set(TAKEN).isdisjoint(different), tuple(key for key in different if key not in TAKEN)
        )

    def _succeeded(self) -> None:
        self._meters.config_reload_successful.set(1)
        self._meters.config_reload_success.set(self._clock.time())


def _stated(value: Any) -> Any:
    """Return what the config says itself, without what stands in the files of secrets: whoever uses one reads it."""
    if isinstance(value, list):
        return [_stated(item) for item in value]
    if not isinstance(value, BaseModel):
        return value
    read = {name for name in type(value).model_fields if getattr(value, f"{name}_file", None) is not None}
    inner = {name: _stated(getattr(value, name)) for name in type(value).model_fields if name not in read}
    return value.model_copy(update={**dict.fromkeys(read), **inner})
