"""Names to addresses, within a time: the C library's own look-up can neither be bounded nor be stopped."""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address

from monitor.net.errors import ExchangeError, FailureKind

# Where clouds keep their metadata, beside link-local 169.254.169.254: Amazon's by IPv6, Alibaba's.
_METADATA = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}


class Resolver:
    """Looks names up on threads of its own, one a name: a name server that hangs costs one thread, however often it
    is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[list[str]]] = {}

    def addresses(self, host: str, timeout: float) -> list[str]:
        """The addresses of `host`, which may be one itself, in the system's order. Raises ExchangeError, and
        TimeoutError after `timeout` seconds."""
        if ip_address(host):
            return [host]
        try:
            return self._look_up(host).result(timeout)
        except (OSError, UnicodeError) as error:
            if isinstance(error, TimeoutError):
                raise
            said = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name"
            raise ExchangeError(FailureKind.DNS, f"the name {host} can't be resolved: {said.lower()}") from None

    def _look_up(self, host: str) -> Future[list[str]]:
        with self._lock:
            known = self._under_way.get(host)
            if known is None:
                known = self._under_way[host] = Future()
                threading.Thread(target=self._run, args=[host, known], name=f"resolve-{host}", daemon=True).start()
            return known

    def _run(self, host: str, found: Future[list[str]]) -> None:
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self._done(host)
            found.set_exception(error)
        else:
            self._done(host)
            found.set_result(list(dict.fromkeys(str(row[4][0]) for row in rows)))

    def _done(self, host: str) -> None:
        with self._lock:
            del self._under_way[host]


def suspect(address: str) -> bool:
    """Whether no name should lead to this address unless someone means it: link-local ones and others where clouds
    keep a machine's credentials, multicast, and 0.0.0.0.

    >>> suspect("169.254.169.254"), suspect("::ffff:169.254.169.254"), suspect("10.0.0.5"), suspect("127.0.0.1")
    (True, True, False, False)
    """
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA


def ip_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `host` is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
