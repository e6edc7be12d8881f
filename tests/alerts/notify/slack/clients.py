"""Notifiers that speak to the stand-in for Slack, and news to tell it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from alerts.incidents.incident import Notice, Why
from alerts.notify import Address, NotifyError
from alerts.notify.slack.notifier import Slack, SlackOptions
from alerts.rules.rule import Severity
from tests.alerts.builders import alert, incident
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

FIRST = Notice(incident(alert()), Why.FIRST)
WORSE = Notice(replace(FIRST.incident, version=2, severity=Severity.CRITICAL), Why.SEVERITY_ROSE)
OVER = Notice(replace(FIRST.incident, version=3, resolved_at=1.7e9, ended=FIRST.incident.since + 60), Why.RESOLVED)


def bot(workspace: FakeSlack, channel: str = CHANNEL, token: str = TOKEN, timeout: float = 30.0) -> Slack:
    return Slack(SlackOptions(channel, SecretStr(token), None, workspace.api_url, timeout))


def hook(workspace: FakeSlack, url: str = "", timeout: float = 30.0) -> Slack:
    return Slack(SlackOptions(webhook_url=SecretStr(url or workspace.webhook_url), timeout=timeout))


def patience(fault: str) -> float:
    """How long Slack is waited for: briefly only where it never answers."""
    return 1.0 if fault == "hang" else 30.0


def refused(slack: Slack, notice: Notice = FIRST, address: Address | None = None) -> NotifyError:
    with pytest.raises(NotifyError) as error:
        slack.send(notice, address)
    return error.value
