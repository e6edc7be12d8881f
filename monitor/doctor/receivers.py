"""Whom alerts go to: nothing is sent that anybody would see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.clock import Clock
from monitor.collectors.exchange import Client, Request
from monitor.collectors.failure import ExchangeError
from monitor.doctor.finding import Finding, missing, off, ok, problem
from monitor.settings import Config

NEEDED = {"chat:write": "to post and change messages"}
USEFUL = {"chat:write.public": "to post where the app was not invited"}
_TIMEOUT = 5.0
_MOST = 4 << 20


def slack(config: Config) -> Iterator[Finding]:
    """Whether the token is good, and what it allows."""
    settings = config.slack
    if settings is None:
        yield off("slack", "not configured", "slack: {channel: …} and a bot token in SLACK_BOT_TOKEN")
        return
    if config.alertmanager is not None and not settings.direct:
        yield off("slack", "left to Alertmanager", "slack.direct: true tells both")
        return
    if settings.token is None:
        if settings.webhook_url is not None:
            yield ok("slack", "an incoming webhook; whether it works shows when it is used: `watchkeeper alerts test`")
        else:
            yield problem("slack", "there is no token", "put the bot's token into SLACK_BOT_TOKEN")
        return
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError, SlackClientError

    client = WebClient(
        settings.token.get_secret_value(), base_url=settings.api_url, timeout=int(_TIMEOUT), retry_handlers=[]
    )
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        code = error.response.get("error", "unknown") if isinstance(error.response.data, dict) else "unknown"
        yield problem("slack", f"refuses the token: {code}", "install the app anew and set its bot token (xoxb-…)")
        return
    except (SlackClientError, OSError) as error:
        yield problem("slack", f"can't be reached ({type(error).__name__})", "look at slack.api_url and the network")
        return
    given = {key.lower(): value for key, value in answer.headers.items()}.get("x-oauth-scopes", "")
    scopes = {scope.strip() for scope in given.split(",") if scope.strip()}
    where = f"team {answer.get('team', '?')}, as {answer.get('user', '?')}, to {settings.channel}"
    for scope, why in NEEDED.items():
        if scopes and scope not in scopes:
            yield problem("slack", f"{where}: the scope {scope} is missing", f"add it to the app, {why}")
            return
    lacking = [f"{scope} ({why})" for scope, why in USEFUL.items() if scopes and scope not in scopes]
    if lacking:
        yield missing("slack", f"{where}; not granted: {', '.join(lacking)}", "or invite the app to the channel")
    else:
        yield ok("slack", where)


def alertmanager(config: Config, clock: Clock) -> Iterator[Finding]:
    """Whether each member answers, and its release."""
    settings = config.alertmanager
    if settings is None:
        yield off("alertmanager", "not configured")
        return
    for member in settings.members:
        name = f"alertmanager {urlsplit(member).netloc}"
        headers = {}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        request = Request(member.rstrip("/") + "/api/v2/status", headers=headers, ca_file=settings.ca_file)
        try:
            with Client(clock.monotonic).ask(request, min(settings.timeout, _TIMEOUT)) as answer:
                if answer.status != 200:
                    yield problem(name, f"answered {answer.said}", "look at alertmanager.members and token")
                    continue
                plain = json.loads(answer.read(_MOST))
        except ExchangeError as error:
            yield problem(name, str(error), "start it, or set alertmanager.members right")
        except ValueError:
            yield problem(name, "what answers there is no Alertmanager", "set alertmanager.members right")
        else:
            release = plain.get("versionInfo", {}).get("version", "?")
            yield ok(name, f"release {release}, cluster {plain.get('cluster', {}).get('status', '?')}")
