"""What a workspace is made of, and who may call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TOKEN = "xoxb-fake-token"
APP_TOKEN = "xapp-1-A0WATCH-fake-token"
APP = "A0WATCH"
CHANNEL = "#ml-oncall"


@dataclass
class Channel:
    id: str
    name: str
    member: bool = True
    archived: bool = False
    private: bool = False


@dataclass
class Message:
    channel: str
    ts: str
    by: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    thread_ts: str | None = None
    broadcast: bool = False
    """Whether a reply is shown in the channel, too."""
    deleted: bool = False
    revisions: list[dict[str, Any]] = field(default_factory=list)
    """What it said before each update, oldest first."""
    files: list[str] = field(default_factory=list)
    """Ids of the files that it shows."""
