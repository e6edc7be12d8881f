"""What the config says of a receiver: its name and exactly one way to reach people."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.duration import Timeout
from alerts.notify.apprise import AppriseSettings
from alerts.notify.pagerduty import PagerDutySettings
from alerts.notify.settings import NotifierSettings
from alerts.notify.webhook import WebhookSettings

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"


class ReceiverSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME)
    """What routes call it."""
    # The notifiers that there are: a new one is its module and a line here.
    webhook: WebhookSettings | None = None
    """An HTTP address."""
    pagerduty: PagerDutySettings | None = None
    """PagerDuty."""
    apprise: AppriseSettings | None = None
    """Mail, Teams, phones and more, by apprise."""
    timeout: Timeout = 10.0
    """Of one delivery."""
    fallback: str | None = None
    """The receiver that is told instead while somebody has to act for this one to work again."""

    @model_validator(mode="after")
    def _one(self) -> ReceiverSettings:
        kinds = [name for name in type(self).model_fields if name not in ("name", "timeout", "fallback")]
        if len([name for name in kinds if getattr(self, name) is not None]) != 1:
            raise ValueError(f"give exactly one of {', '.join(kinds[:-1])} and {kinds[-1]}")
        if self.name in ("console", "slack") or self.name.startswith("alertmanager"):
            raise ValueError(f"the name {self.name!r} is taken by Watchkeeper's own receiver; choose another")
        return self

    @property
    def notifier(self) -> tuple[str, NotifierSettings]:
        """The one notifier that is set, and its key."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        [found] = [(name, value) for name, value in values.items() if isinstance(value, NotifierSettings)]
        return found
