"""Whom the config wants told: the notifiers by name."""

from __future__ import annotations

import sys

from alerts.notify import Notifier
from alerts.notify.console import Console
from monitor.settings import Config


def receivers(config: Config) -> dict[str, Notifier]:
    """Every receiver of the outbox, its secrets filled in. Slack is none where Alertmanager is told, which routes to
    Slack itself, unless it is asked for: people would read everything twice."""
    found: dict[str, Notifier] = {}
    page = config.public_url or f"http://{config.listen}"
    if config.console:
        found["console"] = Console(sys.stderr, page)
    if config.slack is not None and (config.alertmanager is None or config.slack.direct):
        # Imported here so that a daemon without Slack does not carry its SDK.
        from alerts.notify.slack import Slack

        found["slack"] = Slack.of(config.slack, page)
    return found
