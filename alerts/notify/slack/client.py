"""The SDK's client of Socket Mode, with what it does badly mended: waiting without end, and not noticing an end."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from slack_sdk.socket_mode.builtin import SocketModeClient


class _Ending:
    """A socket whose end is noticed. The SDK would go on reading nothing from one that the other side has closed, and
    keep a core busy for twenty seconds; and it would wait for the end of a read before it closes one, and read nothing
    from the connection that takes its place meanwhile."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def recv(self, size: int) -> bytes:
        data: bytes = self._sock.recv(size)
        if not data:
            raise ConnectionResetError("the connection is closed")
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)  # ends a read
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class SlackClient(SocketModeClient):
    """The SDK's, with two habits changed."""

    def issue_new_wss_url(self) -> str:
        """Asks once: the SDK's would sleep for as long as Slack says, without end."""
        return str(self.web_client.apps_connections_open(app_token=self.app_token)["url"])

    def connect(self) -> None:
        super().connect()
        session: Any = self.current_session  # whose parts are declared as the very classes that are replaced here
        if session is not None and session.sock is not None:
            session.sock_receive_lock = contextlib.nullcontext()  # one thread reads
            session.sock = _Ending(session.sock)
