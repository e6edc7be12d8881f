"""One HTTP exchange: no redirects, no proxies, and one time limit over all of it: looking up the name, connecting, TLS,
and an answer that comes byte by byte."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.net.dns import Resolver
from monitor.net.errors import ExchangeError, FailureKind
from monitor.net.tls import TlsTrust, why

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_PIECE = 64 << 10


@dataclass(frozen=True)
class Request:
    """What is sent. Headers and body may hold secrets, and are not shown."""

    url: str = field(repr=False)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    ca_file: Path | None = None
    """Authorities that are trusted instead of the system's."""


class Answer:
    """The head of an answer; `read` fetches the rest."""

    def __init__(self, response: http.client.HTTPResponse, timeout: float, certificate: bytes | None) -> None:
        self.status = response.status
        self.certificate = certificate
        """The server's own (DER); None without TLS."""
        self._response, self._timeout = response, timeout

    @property
    def said(self) -> str:
        """The status in words: 404 Not Found. A server's own words are not repeated."""
        return f"{self.status} {http.client.responses.get(self.status, '')}".rstrip()

    def header(self, name: str, default: str = "") -> str:
        return self._response.getheader(name, default)

    def read(self, max_bytes: int) -> bytes:
        """The body. Raises ExchangeError when it is encoded, larger, cut short, or not whole in time."""
        if self.header("Content-Encoding", "identity").lower() != "identity":
            raise ExchangeError(FailureKind.BODY, "answered in an encoding that was not asked for")
        body = bytearray()
        try:
            while piece := self._response.read(_PIECE):
                body += piece
                if len(body) > max_bytes:
                    raise ExchangeError(FailureKind.TOO_LARGE, f"the answer is larger than {max_bytes >> 20} MiB")
        except TimeoutError:
            raise ExchangeError(
                FailureKind.TIMEOUT, f"the answer was not read whole within {self._timeout:g} s"
            ) from None
        # http.client does not mind a body that ends early.
        if self._response.length:
            raise ExchangeError(FailureKind.NOT_HTTP, "the answer ended before it was whole")
        return bytes(body)

    def beginning(self, max_bytes: int = 1000) -> str:
        """Return the first of the body as text, whatever its encoding. Raises ExchangeError when it does not come."""
        piece = self._response.read(max_bytes)
        return piece.decode("utf-8", "replace")


class Client:
    """Makes exchanges. `monotonic` measures the time they take; `refusal` says why an address that a name leads to may
    not be asked, or nothing."""

    def __init__(self, monotonic: Callable[[], float], refusal: Callable[[str], str] = lambda address: "") -> None:
        self.monotonic, self._refusal = monotonic, refusal
        self._resolver, self._trust = Resolver(), TlsTrust()

    @contextmanager
    def ask(self, request: Request, timeout: float) -> Iterator[Answer]:
        """Sends the request and gives the head of its answer; all is over `timeout` seconds from now.

        Raises ExchangeError, also for what goes wrong while the answer is read inside the `with`.
        """
        deadline = self.monotonic() + timeout

        def left() -> float:
            seconds = deadline - self.monotonic()
            if seconds <= 0:
                raise TimeoutError
            return seconds

        parts = urlsplit(request.url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        connection = http.client.HTTPConnection(host, parts.port or (443 if secure else 80))
        connection.default_port = 443 if secure else 80  # what the header Host leaves out
        opened: socket.socket | None = None
        try:
            opened, certificate = self._connected(host, connection.port, left), None
            if secure:
                opened, certificate = self._secured(opened, host, connection.port, request.ca_file, left)
            connection.sock = _Bounded(opened, left)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": "watchkeeper", "Connection": "close", **request.headers}
            connection.request(request.method, path, body=request.body, headers=headers)
            yield Answer(connection.getresponse(), timeout, certificate)
        except TimeoutError:
            raise ExchangeError(FailureKind.TIMEOUT, f"no answer within {timeout:g} s") from None
        except OSError as error:
            # Those of TLS have a library and a reason.
            failure = FailureKind.TLS if hasattr(error, "library") else FailureKind.CONNECT
            raise ExchangeError(failure, f"TLS: {why(error)}" if failure is FailureKind.TLS else why(error)) from None
        except http.client.HTTPException as error:
            raise ExchangeError(FailureKind.NOT_HTTP, f"no proper HTTP answer ({type(error).__name__})") from None
        finally:
            connection.close()
            if opened is not None:
                opened.close()

    def _connected(self, host: str, port: int, left: Callable[[], float]) -> socket.socket:
        """A connection to the first address that takes one; each gets its share of the time that is left."""
        addresses = self._resolver.addresses(host, left())
        for address in addresses:
            if why_not := self._refusal(address):
                raise ExchangeError(FailureKind.ADDRESS, f"{host} leads to {address}, {why_not}")
        for index, address in enumerate(addresses):
            try:
                found = socket.create_connection((address, port), left() / (len(addresses) - index))
            except OSError:
                if index == len(addresses) - 1:
                    raise
            else:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return found
        raise ExchangeError(FailureKind.DNS, f"the name {host} has no address")

    def _secured(
        self, plain: socket.socket, host: str, port: int, ca_file: Path | None, left: Callable[[], float]
    ) -> tuple[socket.socket, bytes | None]:
        """The connection under TLS and the server's certificate, which the error has when it can't be trusted."""
        import ssl

        plain.settimeout(left())
        try:
            secured = self._trust.secure(plain, host, ca_file)
        except ssl.SSLCertVerificationError as error:
            raise ExchangeError(FailureKind.TLS, f"TLS: {why(error)}", self._distrusted(host, port, left)) from None
        return secured, secured.getpeercert(binary_form=True)

    def _distrusted(self, host: str, port: int, left: Callable[[], float]) -> bytes | None:
        """The certificate that was refused: a handshake that failed does not tell, so another one is made for it."""
        try:
            with self._connected(host, port, left) as plain:
                plain.settimeout(left())
                return self._trust.shown(plain, host)
        except (OSError, ExchangeError):
            return None


class _Bounded:
    """A socket as http.client uses it, which gives every call the time that is left."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._socket, self._left = sock, left

    def sendall(self, data: ReadableBuffer) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._left())
            rest = rest[self._socket.send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._socket, self._left))

    def close(self) -> None:
        """Nothing: http.client lets go of a connection before it has read the answer."""


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._socket, self._left = sock, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._socket.settimeout(self._left())
        return self._socket.recv_into(buffer)
