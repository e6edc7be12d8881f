"""A strict stand-in for Slack: the Web API methods that Watchkeeper calls, incoming webhooks and Socket Mode, refusing
what Slack refuses, with faults to order.

In a test: ``with FakeSlack() as slack: …``; as a process: ``python -m tests.fakes.slack --port 8089``, with the
recorded state at ``GET /_state``, faults ordered by ``POST /_faults``, messages deleted by ``POST /_delete``, buttons
pressed by ``POST /_press`` and connections ended by ``POST /_socket``.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from monitor.clock import SystemClock
from tests.fakes.slack_blocks import problems
from tests.fakes.slack_files import UPLOAD, Files
from tests.fakes.slack_press import Answers, Press, block_actions
from tests.fakes.slack_refusal import Refusal
from tests.fakes.slack_socket import SocketSide

TOKEN = "xoxb-fake-token"
APP_TOKEN = "xapp-1-A0WATCH-fake-token"
APP = "A0WATCH"
CHANNEL = "#ml-oncall"
HOOK = "/services/T000/B000/secret"
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
READS = {"conversations.history", "conversations.replies", "users.conversations", "usergroups.users.list"}
"""Methods that take their arguments as a form or in the address, not as JSON."""
UPDATES = 50
"""Of messages, a minute."""
FAULTS = ("500", "hang", "reset", "revoked", "429", "lost_reply")


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
    deleted: bool = False
    revisions: list[dict[str, Any]] = field(default_factory=list)
    """What it said before each update, oldest first."""
    files: list[str] = field(default_factory=list)
    """Ids of the files that it shows."""


@dataclass
class Fault:
    """Applied to the next `times` calls (of `method`, if given)."""

    kind: str
    times: int = 1
    method: str = ""
    retry_after: int = 1


class FakeSlack:
    """The state of one workspace, and the server around it."""

    def __init__(
        self,
        port: int = 0,
        *,
        rate_limit: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = lambda: 1.7e9,
    ) -> None:
        """`clock` is what the rate limit goes by, `wall` gives messages their `ts`."""
        self.scopes = ["chat:write"]
        self.rate_limit = rate_limit
        self.channels = [Channel("C0ONCALL", "ml-oncall"), Channel("C0OTHER", "random", member=False)]
        self.tokens = {TOKEN: "B0WATCH", "xoxb-other-app": "B0OTHER"}
        self.revoked: set[str] = set()
        self.messages: list[Message] = []
        self.hooked: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        """(method, "ok" or the error) of every request, in order."""
        self.faults: list[Fault] = []
        self.hook_error: tuple[int, str] | None = None
        self.app_tokens = {APP_TOKEN: APP}
        self.groups = {"S0ONCALL": ["U0ANN"]}
        self.socket = SocketSide()
        self.files = Files()
        self.answers = Answers(clock)
        self.presses: list[Press] = []
        self._clock, self._wall = clock, wall
        self._last_post: dict[str, float] = {}
        self._updates: list[float] = []
        self._next_ts = 1_700_000_000_000_100
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> FakeSlack:
        self._thread.start()
        self.socket.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.socket.stop()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{HOOK}"

    def fail(self, kind: str, times: int = 1, method: str = "", retry_after: int = 1) -> None:
        """Orders a fault: 500, hang, reset (before anything is done), lost_reply (after), revoked, 429."""
        if kind not in FAULTS:
            raise ValueError(f"{kind!r} is none of {FAULTS}")
        with self._lock:
            self.faults.append(Fault(kind, times, method, retry_after))

    def posts(self) -> list[Message]:
        """Messages of the channel itself that are still there."""
        return [message for message in self.messages if message.thread_ts is None and not message.deleted]

    def replies(self, ts: str) -> list[Message]:
        return [message for message in self.messages if message.thread_ts == ts]

    def delete(self, ts: str) -> None:
        """What a user does who deletes a message."""
        with self._lock:
            next(message for message in self.messages if message.ts == ts).deleted = True

    def press(
        self, ts: str, button: str, user: str = "U0ANN", name: str = "ann", **forged: dict[str, Any] | str
    ) -> Press:
        """What happens when a user presses a button (by its action_id, or the end of one) of a message that shows it.
        `forged` replaces parts of the payload. Raises ValueError where the message has no such button."""
        with self._lock:
            message = next(item for item in self.messages if item.ts == ts and not item.deleted)
        answer = f"http://127.0.0.1:{self.port}{self.answers.address(user)}"
        payload = {**block_actions(APP, message, button, user, name, answer), **forged}
        press = Press(user, str(payload["actions"][0]["action_id"]), payload, self.socket.send(APP, payload))
        self.presses.append(press)
        return press

    def state(self) -> dict[str, Any]:
        with self._lock:
            messages = [asdict(message) for message in self.messages]
            return {
                "messages": messages,
                "hooked": list(self.hooked),
                "calls": [list(call) for call in self.calls],
                "answers": [asdict(answer) for answer in self.answers.given],
                "connections": self.socket.open(APP),
                "socket_faults": self.socket.faults,
            }

    def take_fault(self, method: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.method in ("", method):
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    return fault
        return None

    def hang(self) -> None:
        self._released.wait(30.0)

    def note(self, method: str, outcome: str) -> None:
        with self._lock:
            self.calls.append((method, outcome))

    # The Web API. Each method takes the arguments and the calling bot, and returns what goes beside "ok".

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
        text, blocks, metadata = _content(arguments)
        thread = arguments.get("thread_ts")
        if thread is not None and self._find(channel, str(thread)) is None:
            raise Refusal("thread_not_found")
        now = self._clock()
        if self.rate_limit and now - self._last_post.get(channel.id, -1e9) < 0.95:
            raise Refusal("ratelimited", 429, retry_after=1)
        self._last_post[channel.id] = now
        self._next_ts = max(self._next_ts + 137, int(self._wall() * 1e6))
        ts = f"{self._next_ts // 1_000_000}.{self._next_ts % 1_000_000:06d}"
        self.messages.append(Message(channel.id, ts, bot, text, blocks, metadata, thread))
        return {"channel": channel.id, "ts": ts, "message": {"text": text, "bot_id": bot, "ts": ts}}

    def _update(self, arguments: dict[str, Any], bot: str) -> dict[str, Any]:
        channel = self._channel(arguments, names=False)
        message = self._find(channel, str(arguments.get("ts")))
        if message is None:
            raise Refusal("message_not_found")
        if message.by != bot:
            raise Refusal("cant_update_message")
        text, blocks, metadata = _content(arguments)
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

    def hook(self, path: str, payload: Any) -> None:
        """One post to an incoming webhook; raises Refusal with the status and the text Slack answers."""
        if path != HOOK:
            raise Refusal("no_service", 404)
        if self.hook_error is not None:
            raise Refusal(self.hook_error[1], self.hook_error[0])
        if not isinstance(payload, dict):
            raise Refusal("invalid_payload", 400)
        if self.channels[0].archived:
            raise Refusal("channel_is_archived", 410)
        try:
            text, blocks, _ = _content(payload)
        except Refusal as refusal:
            raise Refusal(refusal.code, 400) from None
        with self._lock:
            self.hooked.append({"text": text, "blocks": blocks})


def _content(arguments: dict[str, Any]) -> tuple[str, list[dict[str, Any]], dict[str, Any] | None]:
    text, blocks, metadata = arguments.get("text"), arguments.get("blocks"), arguments.get("metadata")
    if not text and not blocks:
        raise Refusal("no_text")
    if text is not None and not isinstance(text, str):
        raise Refusal("invalid_arguments")
    if text and len(text) > 40_000:
        raise Refusal("msg_too_long")
    if blocks is not None and (wrong := problems(blocks)) is not None:
        raise Refusal(wrong[0], errors=wrong[1], response_metadata={"messages": wrong[1]})
    if metadata is not None:
        _check_metadata(metadata)
    return text or "", blocks or [], metadata


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise Refusal("invalid_metadata_format")
    if any(not isinstance(value, str | int | float | bool) for value in metadata["event_payload"].values()):
        raise Refusal("invalid_metadata_schema")
    if len(json.dumps(metadata)) > 8_000:
        raise Refusal("metadata_too_large")


class _Handler(BaseHTTPRequestHandler):
    slack: FakeSlack
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/_state":
            self._reply(200, self.slack.state())
        elif self.path.startswith("/api/"):
            self._serve(b"")
        else:
            self._reply(405, {"ok": False, "error": "method_not_supported"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/_faults":
            self.slack.fail(**json.loads(body))
            return self._reply(200, {"ok": True})
        if self.path == "/_delete":
            self.slack.delete(json.loads(body)["ts"])
            return self._reply(200, {"ok": True})
        if self.path == "/_press":
            press = self.slack.press(**json.loads(body))
            return self._reply(200, {"ok": True, "acknowledged": press.acknowledged, "seconds": press.seconds})
        if self.path == "/_socket":
            self.slack.socket.end(APP, **json.loads(body))
            return self._reply(200, {"ok": True})
        if self.path.startswith("/actions/"):
            return self._answer(body)
        return self._serve(body)

    def _answer(self, body: bytes) -> None:
        fault = self.slack.take_fault("response_url")
        if fault is not None:
            return self._fail(fault)
        if (wrong := self.slack.answers.take(self.path, body, _content)) is not None:
            return self._reply(404 if "url" in wrong else 400, {"ok": False, "error": wrong})
        return self._text(200, "ok")

    def _serve(self, body: bytes) -> None:
        is_api = self.path.startswith("/api/")
        is_upload = self.path.startswith(UPLOAD)
        method = self.path.removeprefix("/api/").partition("?")[0] if is_api else "upload" if is_upload else "webhook"
        fault = self.slack.take_fault(method)
        if fault is not None and fault.kind != "lost_reply":
            self.slack.note(method, fault.kind)
            return self._fail(fault)
        try:
            extra = self._api(method, body) if is_api else self._upload(body) if is_upload else self._hook(body)
        except Refusal as refusal:
            self.slack.note(method, refusal.code)
            return self._refuse(refusal, is_api)
        self.slack.note(method, "ok" if fault is None else "lost_reply")
        if fault is not None:
            return self._reset()
        return self._reply(200, {"ok": True, **extra}, self._scopes(method)) if is_api else self._text(200, "ok")

    def _scopes(self, method: str) -> dict[str, str]:
        return {"X-OAuth-Scopes": ",".join(self.slack.scopes), "X-Accepted-OAuth-Scopes": NEEDED.get(method, "")}

    def _api(self, method: str, body: bytes) -> dict[str, Any]:
        kind = self.headers.get_content_type() if self.headers.get("Content-Type") else ""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        if self.command == "GET":
            if method not in READS:
                raise Refusal("method_not_supported")
            arguments = dict(parse_qsl(self.path.partition("?")[2]))
        elif kind == "application/json":
            if method in READS:
                raise Refusal("invalid_arguments")
            try:
                arguments = json.loads(body or b"{}")
            except ValueError:
                raise Refusal("invalid_json") from None
            if not isinstance(arguments, dict):
                raise Refusal("json_not_object")
        elif kind == "application/x-www-form-urlencoded":
            arguments = dict(parse_qsl(body.decode()))
            token = arguments.pop("token", None) or token
            arguments |= {name: json.loads(arguments[name]) for name in ("blocks", "metadata") if name in arguments}
        else:
            raise Refusal("invalid_post_type" if kind else "missing_post_type")
        return self.slack.call(method, token, arguments)

    def _hook(self, body: bytes) -> dict[str, Any]:
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        self.slack.hook(self.path, payload)
        return {}

    def _upload(self, body: bytes) -> dict[str, Any]:
        """The bytes of a file: at an address that was given out, as many as were announced."""
        self.slack.files.take(self.path, body)
        return {}

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "500":
            self._text(500, "<html>upstream error</html>")
        elif fault.kind == "hang":
            self.slack.hang()
            self.close_connection = True
        elif fault.kind == "reset":
            self._reset()
        elif fault.kind == "revoked":
            self._refuse(Refusal("token_revoked"), True)
        else:
            self._refuse(Refusal("ratelimited", 429, retry_after=fault.retry_after), True)

    def _refuse(self, refusal: Refusal, is_api: bool) -> None:
        headers = {"Retry-After": str(refusal.extra.pop("retry_after"))} if "retry_after" in refusal.extra else {}
        if is_api:
            self._reply(refusal.status, {"ok": False, "error": refusal.code, **refusal.extra}, headers)
        else:
            self._text(refusal.status, refusal.code)

    def _reset(self) -> None:
        """Closes the connection so that the other side sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _reply(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._write(status, "application/json; charset=utf-8", json.dumps(body), headers or {})

    def _text(self, status: int, body: str) -> None:
        self._write(status, "text/html", body, {})

    def _write(self, status: int, kind: str, body: str, headers: dict[str, str]) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def finish(self) -> None:
        if self.connection.fileno() != -1:
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _handler(slack: FakeSlack) -> type[_Handler]:
    return type("Handler", (_Handler,), {"slack": slack})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--rate-limit", action="store_true", help="one message a second a channel, as Slack has it")
    options = parser.parse_args()
    with FakeSlack(options.port, rate_limit=options.rate_limit, wall=SystemClock().time) as slack:
        print(
            f"slack stand-in: {slack.api_url} token {TOKEN} channel {CHANNEL} webhook {slack.webhook_url} "
            f"app token {APP_TOKEN}",
            flush=True,
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.exit(0)


if __name__ == "__main__":
    main()
