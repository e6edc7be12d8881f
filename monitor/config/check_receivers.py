"""What is wrong with receivers, routes and the heartbeat although each value is well-formed; and their secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from jinja2 import TemplateError
from pydantic import SecretStr

from alerts.delivery.receiver_settings import ReceiverSettings
from alerts.notify.webhook import check_template
from checks.suggest import nearest
from monitor.config.urls import url_problem
from monitor.config.yaml_document import Document, Place, Problem
from monitor.settings.receiver_names import SLACK_OFF, receiver_names
from monitor.settings.root import Config

ReadSecret = Callable[[Place, str, SecretStr | None, Path | None], SecretStr | None]


def receiver_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Names that are given twice or unknown, and addresses that are none."""
    outbox = [name for name in receiver_names(config) if not name.startswith("alertmanager:")]
    for index, receiver in enumerate(config.receivers):
        place: Place = ("receivers", index)
        if outbox.count(receiver.name) > 1:
            yield Problem(document.line((*place, "name")), f"receiver {receiver.name!r} stands twice")
        if receiver.fallback is not None:
            others = [name for name in outbox if name != receiver.name]
            yield from _unknown([receiver.fallback], others, "receiver", (*place, "fallback"), document)
        for key, wrong in _addresses(receiver):
            yield Problem(document.line((*place, *key)), f"receiver {receiver.name!r}: {wrong}")
    times = [item.name for item in config.mute_times]
    for name in {name for name in times if times.count(name) > 1}:
        yield Problem(document.line(("mute_times", times.index(name))), f"mute time {name!r} stands twice")
    for index, route in enumerate(config.routes):
        yield from _unknown(route.receivers, outbox, "receiver", ("routes", index, "receivers"), document)
        yield from _unknown(route.mute_times, times, "mute time", ("routes", index, "mute_times"), document)
    if config.heartbeat is not None and (problem := url_problem(config.heartbeat.url.get_secret_value())):
        yield Problem(document.line(("heartbeat", "url")), f"heartbeat.url: {problem}")


def with_receiver_secrets(config: Config, read: ReadSecret) -> Config:
    """The config with the receivers' secrets read from their files; `read` notes what can't be."""
    made = [_filled(receiver, ("receivers", index), read) for index, receiver in enumerate(config.receivers)]
    return config.model_copy(update={"receivers": made}) if made else config


def secret_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Receivers that lack a secret, or that apprise knows no service for."""
    for index, receiver in enumerate(config.receivers):
        line = document.line(("receivers", index))
        if receiver.pagerduty is not None and not receiver.pagerduty.routing_key:
            yield Problem(line, f"receiver {receiver.name!r}: give pagerduty.routing_key, or routing_key_file")
        if receiver.apprise is None:
            continue
        if not receiver.apprise.urls:
            yield Problem(line, f"receiver {receiver.name!r}: give apprise.urls, or urls_file")
            continue
        from alerts.notify.apprise import Apprise, UnknownService

        try:
            Apprise(receiver.name, [url.get_secret_value() for url in receiver.apprise.urls])
        except UnknownService as error:
            yield Problem(line, f"receiver {receiver.name!r}: {error}")


def _filled(receiver: ReceiverSettings, place: Place, read: ReadSecret) -> ReceiverSettings:
    if (hook := receiver.webhook) is not None:
        secret = read((*place, "webhook"), "secret", hook.secret, hook.secret_file)
        return receiver.model_copy(update={"webhook": hook.model_copy(update={"secret": secret})})
    if (duty := receiver.pagerduty) is not None:
        key = read((*place, "pagerduty"), "routing_key", duty.routing_key, duty.routing_key_file)
        return receiver.model_copy(update={"pagerduty": duty.model_copy(update={"routing_key": key})})
    assert receiver.apprise is not None
    lines = read((*place, "apprise"), "urls", None, receiver.apprise.urls_file)
    more = [
        SecretStr(line.strip()) for line in (lines.get_secret_value() if lines else "").splitlines() if line.strip()
    ]
    urls = [url for url in (*receiver.apprise.urls, *more) if url.get_secret_value().strip()]
    return receiver.model_copy(update={"apprise": receiver.apprise.model_copy(update={"urls": urls})})


def _addresses(receiver: ReceiverSettings) -> Iterator[tuple[Place, str]]:
    if (hook := receiver.webhook) is not None:
        if wrong := url_problem(hook.url.get_secret_value()):
            yield ("webhook", "url"), f"webhook.url: {wrong}"
        try:
            check_template(hook.template)
        except TemplateError as error:
            yield ("webhook", "template"), f"webhook.template is no valid template: {error}"
    if receiver.pagerduty is not None and (wrong := url_problem(receiver.pagerduty.url)):
        yield ("pagerduty", "url"), f"pagerduty.url: {wrong}"


def _unknown(given: Iterable[str], known: list[str], what: str, place: Place, document: Document) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean {close!r}?" if close else f"known are {', '.join(known) or 'none'}"
            hint = SLACK_OFF if name == "slack" and what == "receiver" else hint
            yield Problem(document.line(place), f"there is no {what} {name!r}; {hint}")
