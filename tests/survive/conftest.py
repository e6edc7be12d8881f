from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alerts.builders import FakeClock
from tests.fakes.slack import FakeSlack

SEES = ["chat:write", "channels:history", "channels:read"]
"""Scopes with which a message whose answer was lost can be looked for."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def slack(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlack]:
    """The strict stand-in, with Slack's own rate limit, in injected time."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeSlack(rate_limit=True, clock=clock.monotonic, wall=clock.time) as slack:
        slack.scopes = SEES
        yield slack
