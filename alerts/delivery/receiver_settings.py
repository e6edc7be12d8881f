"""What the config says of a receiver: its name and exactly one way to reach people."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from alerts.duration import Seconds

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookSettings(_Part):
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


class PagerDutySettings(_Part):
    """An integration of PagerDuty's Events API v2."""

    routing_key: SecretStr | None = None
    """The integration key."""
    routing_key_file: Path | None = None
    """A file with the integration key."""
    url: str = "https://events.pagerduty.com/v2/enqueue"
    """Of the events API; another for another region."""


class AppriseSettings(_Part):
    """Addresses as apprise writes them, such as mailto://… or msteams://…"""

    urls: list[SecretStr] = []
    """The addresses."""
    urls_file: Path | None = None
    """One address a line."""


class ReceiverSettings(_Part):
    name: str = Field(pattern=NAME)
    """What routes call it."""
    webhook: WebhookSettings | None = None
    """An HTTP address."""
    pagerduty: PagerDutySettings | None = None
    """PagerDuty."""
    apprise: AppriseSettings | None = None
    """Mail, Teams, phones and more, by apprise."""
    timeout: Seconds = 10.0
    """Of one delivery."""
    fallback: str | None = None
    """The receiver that is told instead while somebody has to act for this one to work again."""

    @model_validator(mode="after")
    def _one(self) -> ReceiverSettings:
        given = [part for part in (self.webhook, self.pagerduty, self.apprise) if part is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of webhook, pagerduty and apprise")
        if self.name in ("console", "slack") or self.name.startswith("alertmanager"):
            raise ValueError(f"the name {self.name!r} is taken by Watchkeeper's own receiver; choose another")
        return self
