"""Slack: whether the token is good, and what it allows. Nothing is posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from monitor.cli.doctor.clock_offset import Offsets
from monitor.cli.doctor.finding import Finding, missing, off, ok, problem
from monitor.config.secret_values import slack_problem
from monitor.settings.receiver_names import SLACK_OFF, tells_slack
from monitor.settings.root import Config
from monitor.settings.slack import SlackSettings

NEEDED = {"chat:write": "to post messages and keep them up to date"}
OPTIONAL = {
    "chat:write.public": "to post to public channels without being invited",
    "files:write": "to show incidents' pictures in the thread",
}
TIMEOUT = 5
_OF_TOKEN = ("not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive")
_TRY = "`watchkeeper alerts test` posts a marked message"


def slack(config: Config, offsets: Offsets) -> Iterator[Finding]:
    settings = config.slack
    if settings is None:
        yield off("", "not configured", 'slack: {channel: "#…"}, and a bot\'s token in SLACK_BOT_TOKEN')
    elif not tells_slack(config):
        yield off("", SLACK_OFF)
    elif (wrong := slack_problem(settings)) is not None:
        yield problem("", wrong.removeprefix("slack: "))
    elif settings.token is None:
        yield ok("", "an incoming webhook, which is not tried here; it can't update its messages", _TRY)
    else:
        yield from _token(settings, settings.token.get_secret_value(), offsets)


def _token(settings: SlackSettings, token: str, offsets: Offsets) -> Iterator[Finding]:
    # Imported here so that the page of those without Slack does not wait for its SDK.
    from slack_sdk.errors import SlackApiError, SlackClientError

    from alerts.notify.slack.web_client import api_client

    client = api_client(token, settings.api_url, TIMEOUT)
    asked, where = offsets.now(), urlsplit(settings.api_url).netloc
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        data = error.response.data
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        code = code if code.isidentifier() else ""  # the SDK puts pages of a proxy's there
        if code in _OF_TOKEN:
            yield problem("", f"{where} refuses the token: {code}", "install the app again, take its token (xoxb-…)")
        else:
            said = code or f"status {error.response.status_code}"
            yield problem("", f"{where} answers {said}", "look at slack.api_url; if it is right, try again later")
        return
    except (SlackClientError, OSError, ValueError) as error:
        yield problem("", f"{where} can't be reached: {_reason(error)}", "look at slack.api_url, network and proxy")
        return
    headers = {name.lower(): value for name, value in answer.headers.items()}
    offsets.note(where, _text(headers.get("date")), asked)
    who = f"{answer.get('user') or answer.get('bot_id') or 'the app'}, team {answer.get('team') or 'unknown'}"
    yield from _scopes(f"posts to {settings.channel} as {who}", headers, settings)


def _scopes(text: str, headers: Mapping[str, object], settings: SlackSettings) -> Iterator[Finding]:
    given = {scope.strip() for scope in _text(headers.get("x-oauth-scopes")).split(",") if scope.strip()}
    if not given:
        yield ok("", f"{text}; its scopes are not told", _TRY)
    elif lacking := [scope for scope in NEEDED if scope not in given]:
        why = "; ".join(f"{scope}, {NEEDED[scope]}" for scope in lacking)
        yield problem("", f"{text}; the scope {', '.join(lacking)} is missing", f"give the app {why}; install it again")
    elif optional := [scope for scope in OPTIONAL if scope not in given]:
        why = "; ".join(f"{scope}, {OPTIONAL[scope]}" for scope in optional)
        steps = [f"invite the app to {settings.channel}"] if "chat:write.public" in optional else []
        steps += ["give the app files:write; install it again"] if "files:write" in optional else []
        yield missing("", f"{text}; without the optional {why}", "; ".join([*steps, _TRY]))
    else:
        yield ok("", f"{text}; scopes {', '.join([*NEEDED, *OPTIONAL])}")


def _text(value: object) -> str:
    """A header's value: the SDK has lists of them."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")


def _reason(error: Exception) -> str:
    """Without the address that an error may name."""
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or type(reason).__name__).lower()
