"""The methods of Slack's Web API that Watchkeeper calls, on the state of one workspace."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.fakes.slack_content import content
from tests.fakes.slack_files import Files
from tests.fakes.slack_refusal import Refusal
from tests.fakes.slack_socket import SocketSide
from tests.fakes.slack_workspace import APP, APP_TOKEN, TOKEN, Channel, Message

NEEDED = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "users.conversations": "channels:read",
    "usergroups.users.list": "usergroups:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
"""Scopes by method; auth.test needs none."""
UPDATES = 50
"""Of messages, a minute."""


class WebApi:
    """The state of one workspace, and the methods of the Web API on it. Each takes the arguments and the calling bot,
    and returns what goes beside "ok"."""

    def __init__(self, rate_limit: bool, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        """`clock` is what the rate limit goes by, `wall` gives messages their `ts`."""
        self.port = 0
        """Of the server around it."""
        self.scopes = ["chat:write"]
        self.rate_limit = rate_limit
        self.channels = [Channel("C0ONCALL", "ml-oncall"), Channel("C0OTHER", "random", member=False)]
        self.tokens = {TOKEN: "B0WATCH", "xoxb-other-app": "B0OTHER"}
        self.revoked: set[str] = set()
        self.refuses = ""
        """A code with which every call is refused."""
        self.poison = ("", "")
        """A message's ts, and the code with which every change of it is refused."""
        self.messages: list[Message] = []
        self.app_tokens = {APP_TOKEN: APP}
        self.groups = {"S0ONCALL": ["U0ANN"]}
        self.socket = SocketSide()
        self.files = Files()
        self._clock, self._wall = clock, wall
        self._last_post: dict[str, float] = {}
        self._updates: list[float] = []
        self._next_ts = 1_700_000_000_000_100
        self._lock = threading.Lock()

    def call(self, method: str, token: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
        """One Web API call; raises Refusal."""
        if method == "apps.connections.open":
            return self._open(token)
        methods = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "auth.test": self._auth,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "users.conversations": self._conversations,
            "usergroups.users.list": self._group,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete,
        }
        if method not in methods:
            raise Refusal("unknown_method", req_method=method)
        if code := self.refuses or (self.poison[1] if self.poison[0] == arguments.get("ts") else ""):
            raise Refusal(code)
        if not token:
            raise Refusal("not_authed")
        if token in self.revoked:
            raise Refusal("token_revoked")
        if token in self.app_tokens:
            raise Refusal("not_allowed_token_type")
        if token not in self.tokens:
            raise Refusal("invalid_auth")
        needed = NEEDED.get(method)
        if needed is not None and needed not in self.scopes:
            raise Refusal("missing_scope", needed=needed, provided=",".join(self.scopes))
        with self._lock:
            return methods[method](arguments, self.tokens[token])

    def _open(self, token: str | None) -> dict[str, Any]:
        if not token:
            raise Refusal("not_authed")
        if token in self.revoked:
            raise Refusal("token_revoked")
        if token in self.tokens:
            raise Refusal("not_allowed_token_type")
        if token not in self.app_tokens:
            raise Refusal("invalid_auth")
        return {"url": self.socket.ticket(self.app_tokens[token])}

    def _group(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        if arguments.get("usergroup") not in self.groups:
            raise Refusal("no_such_subteam")
        return {"users": self.groups[arguments["usergroup"]]}

    def _auth(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/"
        return {"url": url, "team": "fake", "user": "watchkeeper", "team_id": "T000", "user_id": "U000", "bot_id": bot}

    def _post(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        channel = self._channel(arguments, names=True)
        text, blocks, metadata = content(arguments)
        thread = arguments.get("thread_ts")
        if thread is not None and self._find(channel, str(thread)) is None:
            raise Refusal("thread_not_found")
        broadcast = arguments.get("reply_broadcast", False)
        if not isinstance(broadcast, bool) or (broadcast and thread is None):
            raise Refusal("invalid_arguments")
        now = self._clock()
        if self.rate_limit and now - self._last_post.get(channel.id, -1e9) < 0.95:
            raise Refusal("ratelimited", 429, retry_after=1)
        self._last_post[channel.id] = now
        self._next_ts = max(self._next_ts + 137, int(self._wall() * 1e6))
        ts = f"{self._next_ts // 1_000_000}.{self._next_ts % 1_000_000:06d}"
        self.messages.append(Message(channel.id, ts, bot, text, blocks, metadata, thread, broadcast))
        return {"channel": channel.id, "ts": ts, "message": {"text": text, "bot_id": bot, "ts": ts}}

    def _update(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        channel = self._channel(arguments, names=False)
        message = self._find(channel, str(arguments.get("ts")))
        if message is None:
            raise Refusal("message_not_found")
        if message.by != bot:
            raise Refusal("cant_update_message")
        text, blocks, metadata = content(arguments)
        self._pace_updates()
        message.revisions.append({"text": message.text, "blocks": message.blocks, "metadata": message.metadata})
        message.text, message.blocks, message.metadata = text, blocks, metadata or message.metadata
        return {"channel": channel.id, "ts": message.ts, "text": text}

    def _pace_updates(self) -> None:
        """Tier 3: fifty a minute."""
        now = self._clock()
        self._updates = [at for at in self._updates if now - at < 60.0]
        if self.rate_limit and len(self._updates) >= UPDATES:
            raise Refusal("ratelimited", 429, retry_after=max(1, round(60.0 - (now - self._updates[0]))))
        self._updates.append(now)

    def _history(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        """Messages of a channel, newest first, without replies."""
        channel = self._channel(arguments, names=False)
        return self._page([item for item in reversed(self._in(channel)) if item.thread_ts is None], arguments)

    def _replies(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        """A thread: its first message, then the replies, oldest first."""
        channel = self._channel(arguments, names=False)
        ts = str(arguments.get("ts"))
        if self._find(channel, ts) is None:
            raise Refusal("thread_not_found")
        return self._page([item for item in self._in(channel) if ts in (item.ts, item.thread_ts)], arguments)

    def _upload_url(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        id, path = self.files.expect(arguments)
        return {"file_id": id, "upload_url": f"http://127.0.0.1:{self.port}{path}"}

    def _complete(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        """Shares uploaded files, in a message of their own; unlike a post, only where the app is a member."""
        ids = self.files.complete(arguments)
        channel = self._channel(arguments | {"channel": arguments.get("channel_id", "")}, names=False)
        if not channel.member:
            raise Refusal("not_in_channel")
        thread = arguments.get("thread_ts")
        if thread is not None and self._find(channel, str(thread)) is None:
            raise Refusal("thread_not_found")
        self._next_ts += 137
        ts = f"{self._next_ts // 1_000_000}.{self._next_ts % 1_000_000:06d}"
        text = str(arguments.get("initial_comment", ""))
        self.messages.append(Message(channel.id, ts, bot, text, [], None, thread, files=ids))
        return {"files": [{"id": id} for id in ids]}

    def _conversations(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        mine = [channel for channel in self.channels if channel.member and not channel.archived]
        return {"channels": [{"id": channel.id, "name": channel.name} for channel in mine]}

    def _in(self, channel: Channel) -> list[Message]:
        return [item for item in self.messages if item.channel == channel.id and not item.deleted]

    def _page(self, found: list[Message], arguments: dict[str, Any]) -> dict[str, Any]:
        oldest, limit = float(arguments.get("oldest", 0)), int(arguments.get("limit", 100))
        if not 1 <= limit <= 999:
            raise Refusal("invalid_limit")
        whole = str(arguments.get("include_all_metadata", "")).lower() in ("1", "true")
        shown = [item for item in found if float(item.ts) > oldest]
        messages = []
        for item in shown[:limit]:
            message: dict[str, Any] = {"type": "message", "ts": item.ts, "text": item.text, "bot_id": item.by}
            if item.thread_ts is not None:
                message["thread_ts"] = item.thread_ts
            if item.files:
                message["files"] = [{"id": id} for id in item.files]
            if item.metadata is not None and whole:
                message["metadata"] = item.metadata
            messages.append(message)
        return {"messages": messages, "has_more": len(shown) > limit}

    def _find(self, channel: Channel, ts: str) -> Message | None:
        found = (item for item in self.messages if item.ts == ts and item.channel == channel.id and not item.deleted)
        return next(found, None)

    def _channel(self, arguments: dict[str, Any], names: bool) -> Channel:
        """By id, and by name where Slack takes one: chat.postMessage does, chat.update does not."""
        wanted = str(arguments.get("channel", ""))
        for channel in self.channels:
            if wanted == channel.id or (names and wanted.lstrip("#") == channel.name):
                if channel.archived:
                    raise Refusal("is_archived")
                if not channel.member and channel.private:
                    break  # as if there were none
                if not channel.member and "chat:write.public" not in self.scopes:
                    raise Refusal("not_in_channel")
                return channel
        raise Refusal("channel_not_found")
