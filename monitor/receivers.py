"""Whom the config wants told: the notifiers by name."""

from __future__ import annotations

import sys

from alerts.notify import Notifier
from alerts.notify.console import Console
from monitor.settings import Config


def receivers(config: Config) -> dict[str, Notifier]:
    """Every receiver of the config, its secrets filled in."""
    found: dict[str, Notifier] = {}
    if config.console:
        found["console"] = Console(sys.stderr)
    if config.slack is not None:
        # Imported here so that a daemon without Slack does not carry its SDK.
        from alerts.notify.slack import Slack

        found["slack"] = Slack.of(config.slack, config.public_url)
    return found
