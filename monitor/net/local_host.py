"""Whether a host's name is one of this machine's."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

import psutil

from monitor.net.dns import ip_address


def is_here(host: str) -> bool:
    """Whether the host is this machine: loopback, its own name, or one of its addresses. May ask the name service."""
    if host == "localhost" or host.endswith(".localhost") or host == socket.gethostname():
        return True
    own = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    return any(_loopback(address) or address in own for address in _addresses(host))


def _addresses(host: str) -> set[str]:
    if found := ip_address(host):
        return {str(found)}
    with contextlib.suppress(OSError, UnicodeError):
        return {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
    return set()


def _loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_unspecified
