"""Name the receivers that a config has."""

from __future__ import annotations

from urllib.parse import urlsplit

from monitor.settings.root import Config

SLACK_OFF = "slack is left to Alertmanager; slack.also_direct: true sends there all the same"


def receiver_names(config: Config) -> list[str]:
    """Everyone who is told, as logs and metrics call them; nothing is built."""
    names = ["console"] if config.console else []
    names += ["slack"] if tells_slack(config) else []
    names += [receiver.name for receiver in config.receivers]
    members = config.alertmanager.members if config.alertmanager is not None else []
    return names + [f"alertmanager:{urlsplit(member).netloc}" for member in members]


def tells_slack(config: Config) -> bool:
    """Not where Alertmanager is told, which routes to Slack itself, unless it is asked for: people would read
    everything twice."""
    return config.slack is not None and (config.alertmanager is None or config.slack.also_direct)
