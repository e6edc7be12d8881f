"""What is wrong with receivers, routes and the heartbeat although each value is well-formed; and their secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import SecretStr

from alerts.delivery.receiver_settings import ReceiverSettings
from alerts.notify.settings import NotifierSettings
from alerts.url import url_problem
from checks.suggest import nearest
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
        kind, notifier = receiver.notifier
        for key, wrong in notifier.problems():
            yield Problem(document.line((*place, kind, key)), f"receiver {receiver.name!r}: {kind}.{wrong}")
    times = [item.name for item in config.mute_times]
    for name in {name for name in times if times.count(name) > 1}:
        yield Problem(document.line(("mute_times", times.index(name))), f"mute time {name!r} stands twice")
    for index, route in enumerate(config.routes):
        yield from _unknown(route.receivers, outbox, "receiver", ("routes", index, "receivers"), document)
        yield from _unknown(route.mute_times, times, "mute time", ("routes", index, "mute_times"), document)
    if config.heartbeat is not None and (problem := url_problem(config.heartbeat.url.get_secret_value())):
        yield Problem(document.line(("heartbeat", "url")), f"heartbeat.url: {problem}")


def with_receiver_secrets(config: Config, read: ReadSecret, folder: Path) -> Config:
    """The config with the receivers' secrets read from their files, whose paths are taken from `folder`; `read` notes
    what can't be."""
    made = [_filled(receiver, ("receivers", index), read, folder) for index, receiver in enumerate(config.receivers)]
    return config.model_copy(update={"receivers": made}) if made else config


def secret_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Receivers that lack a secret, or whose secret can't be right."""
    for index, receiver in enumerate(config.receivers):
        _, notifier = receiver.notifier
        if wrong := notifier.missing():
            yield Problem(document.line(("receivers", index)), f"receiver {receiver.name!r}: {wrong}")


def _filled(receiver: ReceiverSettings, place: Place, read: ReadSecret, folder: Path) -> ReceiverSettings:
    """The receiver with every setting read that a file may hold."""
    kind, notifier = receiver.notifier
    keys = [key for key in type(notifier).model_fields if f"{key}_file" in type(notifier).model_fields]
    found: dict[str, object] = {key: _read(notifier, key, (*place, kind), read) for key in keys}
    files = {f"{key}_file": getattr(notifier, f"{key}_file") for key in keys}
    found |= {name: folder / file for name, file in files.items() if file is not None}
    return receiver.model_copy(update={kind: notifier.model_copy(update=found)})


def _read(notifier: NotifierSettings, key: str, place: Place, read: ReadSecret) -> SecretStr | list[SecretStr] | None:
    """One secret; of a list those that are given, and those that stand in the file, one a line."""
    given, file = getattr(notifier, key), getattr(notifier, f"{key}_file")
    if not isinstance(given, list):
        return read(place, key, given, file)
    lines = read(place, key, None, file)
    more = [SecretStr(line.strip()) for line in (lines.get_secret_value() if lines else "").splitlines()]
    return [secret for secret in (*given, *more) if secret.get_secret_value().strip()]


def _unknown(given: Iterable[str], known: list[str], what: str, place: Place, document: Document) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean {close!r}?" if close else f"known are {', '.join(known) or 'none'}"
            hint = SLACK_OFF if name == "slack" and what == "receiver" else hint
            yield Problem(document.line(place), f"there is no {what} {name!r}; {hint}")
