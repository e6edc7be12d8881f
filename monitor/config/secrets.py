"""Fills in a config's secrets: from `*_file` keys, and Slack's tokens from SLACK_BOT_TOKEN and SLACK_APP_TOKEN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from monitor.config.check_receivers import secret_problems, with_receiver_secrets
from monitor.config.error_messages import place_text
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.root import Config
from monitor.settings.slack import SlackSettings

SLACK_TOKEN = "SLACK_BOT_TOKEN"
APP_TOKEN = "SLACK_APP_TOKEN"


def with_secrets(
    config: Config,
    document: Document,
    folder: Path,
    environment: Mapping[str, str],
    notify: bool,
    found: list[Problem],
) -> Config:
    """The config with every secret read; what can't be is added to `found`, without its value."""
    files = _Files(document, folder, found)
    tokens = config.tokens
    tokens = tokens.model_copy(
        update={
            "ingest": files.read("tokens", "ingest", tokens.ingest, tokens.ingest_file),
            "admin": files.read("tokens", "admin", tokens.admin, tokens.admin_file),
        }
    )
    slack = config.slack
    if slack is not None:
        token = files.read("slack", "token", slack.token, slack.token_file)
        webhook_url = files.read("slack", "webhook_url", slack.webhook_url, slack.webhook_url_file)
        if not token and slack.channel and (own := environment.get(SLACK_TOKEN, "").strip()):
            token = SecretStr(own)
        app_token = files.read("slack", "app_token", slack.app_token, slack.app_token_file)
        if not app_token and token and (own := environment.get(APP_TOKEN, "").strip()):
            app_token = SecretStr(own)
        slack = slack.model_copy(update={"token": token, "webhook_url": webhook_url, "app_token": app_token})
        if notify and (config.alertmanager is None or slack.also_direct) and (wrong := slack_problem(slack)):
            found.append(Problem(document.line(("slack",)), wrong))
    alertmanager = config.alertmanager
    if alertmanager is not None:
        token = files.read("alertmanager", "token", alertmanager.token, alertmanager.token_file)
        alertmanager = alertmanager.model_copy(update={"token": token})
    config = config.model_copy(update={"tokens": tokens, "slack": slack, "alertmanager": alertmanager})
    config = with_receiver_secrets(config, files.read_at)
    if notify:
        found += secret_problems(config, document)
    return config


def sources(config: Config, document: Document) -> dict[str, str]:
    """Where each secret that is set comes from, in words, without its value."""
    slack, tokens = config.slack, config.tokens
    known = [
        ("tokens", "ingest", tokens.ingest, tokens.ingest_file),
        ("tokens", "admin", tokens.admin, tokens.admin_file),
    ]
    if slack is not None:
        known += [
            ("slack", "token", slack.token, slack.token_file),
            ("slack", "webhook_url", slack.webhook_url, slack.webhook_url_file),
            ("slack", "app_token", slack.app_token, slack.app_token_file),
        ]
    if (alertmanager := config.alertmanager) is not None:
        known.append(("alertmanager", "token", alertmanager.token, alertmanager.token_file))
    found = {}
    for section, key, value, file in known:
        if value is not None:
            found[f"{section}.{key}"] = _source(document, section, key, file)
    return found


def _source(document: Document, section: str, key: str, file: Path | None) -> str:
    if file is not None:
        return f"file {file}"
    if written := document.written.get((section, key)):
        return f"environment, {written}"
    within = document.value.get(section) or {}
    variable = APP_TOKEN if key == "app_token" else SLACK_TOKEN
    return "the config file itself" if within.get(key) else f"environment variable {variable}"


class _Files:
    def __init__(self, document: Document, folder: Path, found: list[Problem]) -> None:
        self._document, self._folder, self._found = document, folder, found

    def read(self, section: str, key: str, given: SecretStr | None, file: Path | None) -> SecretStr | None:
        """The secret `section.key`: as given, or the text of the file that `key_file` names, trimmed."""
        return self.read_at((section,), key, given, file)

    def read_at(self, place: Place, key: str, given: SecretStr | None, file: Path | None) -> SecretStr | None:
        """The secret `key` of the section at this place of the file."""
        if file is None:
            # ${NAME:-} of a variable that is not set means none.
            return given if given and given.get_secret_value().strip() else None
        name, path = f"{place_text(place)}.{key}", self._folder / file
        problem = ""
        if given is not None:
            problem = f"give {name} or {name}_file, not both"
        else:
            try:
                if text := path.read_text("utf-8").strip():
                    return SecretStr(text)
                problem = f"{name}_file: {path} is empty"
            except OSError as error:
                problem = f"{name}_file: {path} can't be read: {error.strerror}"
            except UnicodeDecodeError:
                problem = f"{name}_file: {path} is not text"
        self._found.append(Problem(self._document.line((*place, f"{key}_file")), problem))
        # Something that counts as given, so that one missing file is not reported twice.
        return given or SecretStr("unread")


def slack_problem(slack: SlackSettings) -> str | None:
    """What is lacking to send to Slack, in a sentence."""
    token = slack.token.get_secret_value() if slack.token else ""
    if slack.app_token and not token:
        return "slack: app_token is for buttons, which need a bot token and a channel beside it"
    if slack.app_token and not slack.app_token.get_secret_value().startswith("xapp-"):
        return "slack: app_token is no app-level token; those begin with xapp- and are made under Basic Information"
    if slack.webhook_url and slack.webhook_url.get_secret_value() and not token:
        return None
    if not slack.channel:
        return 'slack: name the channel, such as channel: "#ml-oncall" (or give a webhook_url)'
    if not token:
        return (
            f"slack: there is no bot token for channel {slack.channel}; set the environment variable "
            f"{SLACK_TOKEN}, or slack.token_file, or give a webhook_url instead"
        )
    return None
