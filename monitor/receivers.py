"""Whom the config wants told: the notifiers by name."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from alerts.notify import Notifier
from alerts.notify.console import Console
from monitor.settings import Config

SLACK_OFF = "slack is left to Alertmanager; slack.direct: true sends there all the same"


def receiver_names(config: Config) -> list[str]:
    """Everyone who is told, as logs and metrics call them; nothing is built."""
    names = ["console"] if config.console else []
    names += ["slack"] if tells_slack(config) else []
    members = config.alertmanager.members if config.alertmanager is not None else []
    return names + [f"alertmanager:{urlsplit(member).netloc}" for member in members]


def tells_slack(config: Config) -> bool:
    """Not where Alertmanager is told, which routes to Slack itself, unless it is asked for: people would read
    everything twice."""
    return config.slack is not None and (config.alertmanager is None or config.slack.direct)


def receivers(config: Config) -> dict[str, Notifier]:
    """Every receiver of the outbox, its secrets filled in."""
    found: dict[str, Notifier] = {}
    page = config.public_url or f"http://{config.listen}"
    if config.console:
        found["console"] = Console(sys.stderr, page)
    if config.slack is not None and tells_slack(config):
        # Imported here so that a daemon without Slack does not carry its SDK.
        from alerts.notify.slack import Slack

        found["slack"] = Slack.of(config.slack, page)
    return found
