"""Fills in a config's files and secrets: paths, `*_file` keys, and Slack's tokens from the environment."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from alerts.secret_file import SecretFileError, read_secret
from monitor.config.check_receivers import secret_problems, with_receiver_secrets
from monitor.config.error_messages import place_text
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.root import Config
from monitor.settings.slack import SlackSettings

SLACK_TOKEN = "SLACK_BOT_TOKEN"
APP_TOKEN = "SLACK_APP_TOKEN"
UNREAD = SecretStr("unread")
"""Stands for a secret whose file can't be read."""


def with_files(config: Config, document: Document, folder: Path, found: list[Problem]) -> Config:
    """Return the config with each path taken from `folder`, and each secret read from the file that its `*_file` key
    names. Add what can't be read to `found`, without its value."""
    files = _Files(document, folder, found)
    names = (name for name in Config.model_fields if name != "receivers")
    config = config.model_copy(update={name: files.filled(getattr(config, name), (name,)) for name in names})
    return with_receiver_secrets(config, files.read_at, folder)


def with_slack_tokens(config: Config, environment: Mapping[str, str]) -> Config:
    """Return the config with Slack's tokens, where it names none, from the environment."""
    slack = config.slack
    if slack is None:
        return config
    update = {}
    if not slack.token and slack.channel and (own := environment.get(SLACK_TOKEN, "").strip()):
        update["token"] = SecretStr(own)
    if not slack.app_token and (slack.token or update) and (own := environment.get(APP_TOKEN, "").strip()):
        update["app_token"] = SecretStr(own)
    return config.model_copy(update={"slack": slack.model_copy(update=update)})


def missing_secrets(config: Config, document: Document) -> Iterator[Problem]:
    """Find what is lacking to notify the receivers."""
    slack = config.slack
    if slack is not None and (config.alertmanager is None or slack.also_direct) and (wrong := slack_problem(slack)):
        yield Problem(document.line(("slack",)), wrong)
    yield from secret_problems(config, document)


def sources(config: Config, document: Document) -> dict[str, str]:
    """Return where each secret that is set comes from, in words, without its value."""
    found = {}
    for name in ("tokens", "slack", "alertmanager"):
        section = getattr(config, name)
        for key in _secrets(section):
            if getattr(section, key) is not None:
                found[f"{name}.{key}"] = _source(document, name, key, getattr(section, f"{key}_file"))
    return found


def _source(document: Document, section: str, key: str, file: Path | None) -> str:
    if file is not None:
        return f"file {file}"
    if written := document.written.get((section, key)):
        return f"environment, {written}"
    within = document.value.get(section) or {}
    variable = APP_TOKEN if key == "app_token" else SLACK_TOKEN
    return "the config file itself" if within.get(key) else f"environment variable {variable}"


def _secrets(section: BaseModel | None) -> list[str]:
    """Return the keys of a section that may be given as `*_file` instead."""
    fields = type(section).model_fields if section is not None else {}
    return [key for key, field in fields.items() if f"{key}_file" in fields and SecretStr in get_args(field.annotation)]


class _Files:
    def __init__(self, document: Document, folder: Path, found: list[Problem]) -> None:
        self._document, self._folder, self._found = document, folder, found

    def filled(self, value: Any, place: Place) -> Any:
        """Return the value, the same one where there is neither a path nor a secret in it."""
        if isinstance(value, Path):
            return self._folder / value
        if isinstance(value, list):
            items = [self.filled(item, (*place, index)) for index, item in enumerate(value)]
            return value if all(map(operator.is_, items, value)) else items
        if not isinstance(value, BaseModel):
            return value
        secrets = _secrets(value)
        new = {
            name: self.read_at(place, name, getattr(value, name), getattr(value, f"{name}_file")) for name in secrets
        }
        new |= {name: self.filled(inner, (*place, name)) for name, inner in value if name not in secrets}
        changed = {name: inner for name, inner in new.items() if inner is not getattr(value, name)}
        return value.model_copy(update=changed) if changed else value

    def read_at(self, place: Place, key: str, given: SecretStr | None, file: Path | None) -> SecretStr | None:
        """The secret `key` of the section at this place of the file."""
        if file is None:
            # ${NAME:-} of a variable that is not set means none.
            text = given.get_secret_value().strip() if given else ""
            return given if given and text == given.get_secret_value() else SecretStr(text) if text else None
        if place[:1] == ("models",):  # as the file has it: one model's keys may stand at the top
            place = (*self._document.model_place(int(place[1])), *place[2:])
        name, path = f"{place_text(place)}.{key}", self._folder / file
        if given is not None:
            problem = f"give {name} or {name}_file, not both"
        else:
            try:
                return SecretStr(read_secret(path))
            except SecretFileError as error:
                problem = f"{name}_file: {error}"
        self._found.append(Problem(self._document.line((*place, f"{key}_file")), problem))
        # Something that counts as given, so that one missing file is not reported twice.
        return UNREAD


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
