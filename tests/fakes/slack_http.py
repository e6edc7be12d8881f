"""The stand-in for Slack over HTTP: calls, webhooks, uploads and answers, the faults ordered for them, and what tests
order from another process."""

from __future__ import annotations

import json
import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.fakes.slack_api import NEEDED
from tests.fakes.slack_content import content
from tests.fakes.slack_files import UPLOAD
from tests.fakes.slack_refusal import Refusal
from tests.fakes.slack_workspace import APP

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack, Fault

READS = {"conversations.history", "conversations.replies", "users.conversations", "usergroups.users.list"}
"""Methods that take their arguments as a form or in the address, not as JSON."""


class Handler(BaseHTTPRequestHandler):
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
        if (wrong := self.slack.answers.take(self.path, body, content)) is not None:
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


def handler(slack: FakeSlack) -> type[Handler]:
    """A handler of requests to this stand-in."""
    return type("Handler", (Handler,), {"slack": slack})
