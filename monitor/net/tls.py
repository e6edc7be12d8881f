"""Which certificates are trusted. What this loads is made only when the first https address is asked: over 1 MB."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.net.errors import ExchangeError, FailureKind

if TYPE_CHECKING:
    import ssl


class TlsTrust:
    """TLS contexts: the system's authorities, or only those of a file, which is read again when it was replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[Path | None, tuple[int, ssl.SSLContext]] = {}

    def secure(self, plain: socket.socket, host: str, ca_file: Path | None) -> ssl.SSLSocket:
        """The connection under TLS, the server's certificate verified for `host`. Raises what ssl raises, and
        ExchangeError when `ca_file` can't be used."""
        return self._context(ca_file).wrap_socket(plain, server_hostname=host)

    def shown(self, plain: socket.socket, host: str) -> bytes | None:
        """The certificate (DER) that the server shows, trusted or not. Nothing but the handshake goes out."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain, server_hostname=host) as secured:
            return secured.getpeercert(binary_form=True)

    def _context(self, ca_file: Path | None) -> ssl.SSLContext:
        import ssl

        with self._lock:  # several probes that begin at once need one
            try:
                changed = ca_file.stat().st_mtime_ns if ca_file else 0
                known = self._contexts.get(ca_file)
                if known is None or known[0] != changed:
                    known = self._contexts[ca_file] = changed, ssl.create_default_context(cafile=ca_file)
            except OSError as error:  # ssl.SSLError is one
                raise ExchangeError(FailureKind.TLS, f"ca_file {ca_file} can't be used: {why(error)}") from None
            return known[1]


def why(error: OSError) -> str:
    """What an operating system's or a TLS library's error says, in lower case."""
    verified = getattr(error, "verify_message", "")
    reason = getattr(error, "reason", None)
    text = verified or (str(reason).replace("_", " ") if reason else error.strerror) or str(error)
    return text.lower().rstrip(".")
