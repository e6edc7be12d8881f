"""A webhook of one's own: the incident as JSON, or as a template says, signed where there is a secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import SecretStr

from alerts.incidents.incident import Acknowledgement, Alert, Notice, Silencing, Why
from alerts.notify import Address, NotifyError
from alerts.notify.settings import NotifierContext, NotifierSettings
from alerts.notify.transport import Post, Transport, raise_for_reply
from alerts.secret_file import Secret
from alerts.template_check import parsed
from alerts.url import url_problem
from alerts.wording import stamp

VERSION = "1"
_KEYS = {"version", "delivery", "why", "page", "incident"}
LOOPS = 2
"""Of a template, inside each other."""
MOST = 1 << 20
"""Bytes of a body."""
_ADVICE = {
    401: "look at the receiver's secret or headers in the config",
    403: "look at the receiver's secret or headers in the config",
}


def payload(notice: Notice, page: str = "") -> dict[str, Any]:
    """The body: `version`, `delivery` (the same for the same news), `why`, and the incident with its alerts. Times are
    RFC 3339 on the rules' clock."""
    incident = notice.incident
    return {
        "version": VERSION,
        "delivery": delivery(notice),
        "why": notice.why.value,
        "page": page,
        "incident": {
            "id": incident.id,
            "key": incident.key,
            "model": incident.model,
            "group": incident.group,
            "state": "resolved" if incident.resolved else "firing",
            "severity": incident.severity.value,
            "title": incident.title,
            "summary": incident.alerts[0].summary or incident.title,
            "since": stamp(incident.since),
            "until": None if incident.ended is None else stamp(incident.ended),
            "firing": incident.firing,
            "total": incident.total,
            "alerts": [_alert(alert) for alert in incident.alerts],
            "reports": [page.rstrip("/") + report.path for report in incident.reports],
            "picture": page.rstrip("/") + incident.picture.path("png") if incident.picture else None,
            "acknowledged": _who(incident.acknowledged),
            "silenced": _who(incident.silenced),
            "watcher_stopped": None if incident.unwatched_since is None else stamp(incident.unwatched_since),
        },
    }


def _who(act: Acknowledgement | Silencing | None) -> dict[str, str] | None:
    return None if act is None else {"by": act.by, "until": stamp(act.until)}


def delivery(notice: Notice) -> str:
    """Names the news: sent twice, it has the same name."""
    return f"{notice.incident.id}:{notice.incident.version}"


def signature(secret: str, at: float, body: bytes) -> str:
    """`t=<epoch seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`: who has the secret knows who sent the body, and when.

    >>> signature("s3cret", 0, b"{}")[:20]
    't=0,v1=4f08262fc59ce'
    """
    signed = f"{int(at)}.".encode() + body
    return f"t={int(at)},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "metric": alert.metric,
        "labels": alert.labels,
        "severity": alert.severity.value,
        "state": "firing" if alert.firing else "resolved",
        "since": stamp(alert.since),
        "until": None if alert.ended is None else stamp(alert.ended),
        "value": alert.value,
        "level": alert.level,
        "worst": alert.worst,
        "summary": alert.summary,
        "action": alert.action,
        "runbook": alert.runbook,
    }


class WebhookSettings(NotifierSettings):
    """An HTTP address that takes each piece of news as JSON."""

    url: SecretStr
    """The address, which may hold a secret."""
    secret: SecretStr | None = None
    """Signs each body: X-Watchkeeper-Signature."""
    secret_file: Path | None = None
    """A file with the secret."""
    headers: dict[str, SecretStr] = {}
    """Sent with each request; shown nowhere."""
    template: str = ""
    """Jinja that writes another body."""
    content_type: str = "application/json"
    """Of the body."""
    updates: bool = False
    """Tell also of values that only changed."""

    def problems(self) -> Iterator[tuple[str, str]]:
        if wrong := url_problem(self.url.get_secret_value()):
            yield "url", f"url: {wrong}"
        try:
            check_template(self.template)
        except TemplateError as error:
            yield "template", f"template is no valid template: {error}"

    def make(self, name: str, context: NotifierContext) -> Webhook:
        return Webhook(name, self, context.transport, context.time, context.page)


class Webhook:
    """Posts each piece of news. The receiver knows repeats by `Idempotency-Key`."""

    pace = 0.0

    def __init__(
        self, name: str, settings: WebhookSettings, transport: Transport, time: Callable[[], float], page: str = ""
    ) -> None:
        self.name, self._settings, self._transport, self._time, self._page = name, settings, transport, time, page
        self._secret = Secret(settings.secret, settings.secret_file)
        self.wants = frozenset(Why) if settings.updates else frozenset(Why) - {Why.UPDATED}

    def send(self, notice: Notice, address: Address | None) -> Address:
        body = self._body(notice)
        headers = {
            "Content-Type": self._settings.content_type,
            "Idempotency-Key": delivery(notice),
            **{name: value.get_secret_value() for name, value in self._settings.headers.items()},
        }
        if self._secret.text:
            headers["X-Watchkeeper-Signature"] = signature(self._secret.text, self._time(), body)
        post = Post(self._settings.url.get_secret_value(), body, headers)
        raise_for_reply("the webhook", self._transport(post), _ADVICE)
        return {}

    def read_again(self) -> bool:
        """Read the secret from its file again; return whether it is another one."""
        return self._secret.read_again()

    def _body(self, notice: Notice) -> bytes:
        values = payload(notice, self._page)
        if not self._settings.template:
            return json.dumps(values, ensure_ascii=False).encode()
        try:
            body = written(self._settings.template, values).encode("utf-8", "replace")
        except TemplateError as error:
            raise NotifyError(f"the template fails for this incident: {error}", retry=False, of_message=True) from None
        if len(body) > MOST:
            raise NotifyError("the template writes more than 1 MiB for this incident", retry=False, of_message=True)
        return body


def check_template(template: str) -> None:
    """Raises TemplateError when it can't be read, or names what there is not."""
    environment = ImmutableSandboxedEnvironment(autoescape=False)
    environment.filters["tojson"] = json.dumps
    if unknown := find_undeclared_variables(parsed(environment, template, (), LOOPS)) - _KEYS:
        raise TemplateError(f"{min(unknown)!r} is not known; known are {', '.join(sorted(_KEYS))}")


def written(template: str, values: Mapping[str, Any]) -> str:
    """The template filled in, sandboxed; `| tojson` writes a value as JSON. Raises TemplateError."""
    environment = ImmutableSandboxedEnvironment(autoescape=False)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    try:
        made, length = [], 0
        for part in environment.from_string(parsed(environment, template, (), LOOPS)).generate(values):
            made.append(part)
            length += len(part)
            if length > MOST:
                raise TemplateError("it writes more than 1 MiB")
        return "".join(made)
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"{type(error).__name__}: {error}") from error
