"""Whom the config wants told: the notifiers by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from alerts.delivery.routing import Routing
from alerts.notify import Notifier
from alerts.notify.console import Console
from alerts.notify.pictures import PictureSender
from alerts.notify.settings import NotifierContext
from monitor.clock import Clock
from monitor.settings.receiver_names import receiver_names, tells_slack
from monitor.settings.root import Config

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from alerts.incidents.silence import Silence
    from alerts.notify.slack.action_handler import ActionStore
    from alerts.rules.rule import Rule
    from monitor.alerting.alertmanager.active_alerts import ActiveAlerts
    from monitor.alerting.alertmanager.push import Member, OnOutcome
    from monitor.alerting.slack_actions import SlackActions


def routing(config: Config) -> Routing:
    """Who is told of what. Alertmanager routes by itself."""
    names = [name for name in receiver_names(config) if not name.startswith("alertmanager:")]
    return Routing(names, config.routes, config.mute_times, elsewhere=config.alertmanager is not None)


def receivers(config: Config, clock: Clock) -> dict[str, Notifier]:
    """Every receiver of the outbox, its secrets filled in."""
    found: dict[str, Notifier] = {}
    page = config.public_url or f"http://{config.listen}"
    if config.console:
        found["console"] = Console(sys.stderr, page)
    if config.slack is not None and tells_slack(config):
        # Imported here so that a daemon without Slack does not carry its SDK.
        from alerts.notify.slack.notifier import Slack

        found["slack"] = Slack.of(config.slack, page, config.grafana.url if config.grafana else "")
    for settings in config.receivers:
        _, notifier = settings.notifier
        found[settings.name] = notifier.make(settings.name, _context(clock, settings.timeout, page))
    return found


def alertmanager_members(
    config: Config,
    rules: Sequence[Rule],
    engine: Engine,
    silences: Callable[[float], Sequence[Silence]],
    clock: Clock,
    on_outcome: OnOutcome,
) -> list[tuple[Member, ActiveAlerts]]:
    """Return each Alertmanager that is notified, and what it is notified from."""
    if (settings := config.alertmanager) is None:
        return []
    from monitor.alerting.alertmanager.active_alerts import ActiveAlerts
    from monitor.alerting.alertmanager.push import Member

    url = config.public_url or f"http://{config.listen}/"
    sources = [ActiveAlerts(engine, rules, silences) for _ in settings.members]
    return [
        (Member(address, settings, source, clock, on_outcome, evaluate=config.evaluate, url=url), source)
        for address, source in zip(settings.members, sources, strict=True)
    ]


def slack_actions(
    config: Config,
    made: Mapping[str, Notifier],
    store: ActionStore,
    clock: Clock,
    on_state: Callable[[bool, str | None], None],
    on_press: Callable[[str, str], None],
    *,
    shared: bool,
) -> SlackActions | None:
    """What hears presses on buttons in Slack, if the app has a token for it; the messages of `made` get buttons then.
    `shared`: other daemons may know the same incidents."""
    settings = config.slack
    if settings is None or settings.token is None or settings.app_token is None or "slack" not in made:
        return None
    from alerts.notify.slack.notifier import Slack
    from monitor.alerting.slack_actions import SlackActions

    slack = made["slack"]
    assert isinstance(slack, Slack)
    found = SlackActions(
        settings,
        settings.app_token,
        store,
        clock,
        on_state,
        on_press,
        acknowledged_for=config.acknowledged_for,
        page=config.public_url or f"http://{config.listen}",
        shared=shared,
    )
    slack.hears = found.heard
    return found


def slack_pictures(config: Config) -> PictureSender | None:
    """What puts pictures into Slack's messages; None where nothing is told there with a bot token."""
    if config.slack is None or not tells_slack(config) or not (config.slack.token and config.slack.channel):
        return None
    from alerts.notify.slack.notifier import SlackOptions
    from alerts.notify.slack.pictures import SlackPictures

    settings = config.slack
    options = SlackOptions(
        settings.channel,
        settings.token,
        api_url=settings.api_url,
        timeout=settings.timeout,
        token_file=settings.token_file,
    )
    return SlackPictures(options)


def _context(clock: Clock, timeout: float, page: str) -> NotifierContext:
    from monitor.net.transport import HttpTransport

    return NotifierContext(HttpTransport(clock, timeout), clock.time, timeout, page)
