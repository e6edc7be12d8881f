"""Which hosts probes may address: whoever writes a config must not reach whatever the machine can reach. Pure.

This machine, the host of the model's `server.url`, and those of `collect.allowed_probe_hosts`. A name that is allowed
and leads to an address where no one's model is served (link-local, a cloud's metadata) is refused when it is asked,
unless that very address is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from monitor.net.dns import ip_address, suspect
from monitor.settings.model import ModelSettings


def allowed_hosts(model: ModelSettings, listed: Iterable[str]) -> frozenset[str]:
    """The hosts, beside this machine, that the model's probes may address."""
    server = urlsplit(model.server.url).hostname if model.server else None
    return frozenset(normalize_host(host) for host in (*listed, *([server] if server else [])))


def may_address(host: str, allowed: frozenset[str]) -> bool:
    """Whether a probe's URL may have this host."""
    name = normalize_host(host)
    if name == "localhost" or name in allowed:
        return True
    found = ip_address(name)
    return found is not None and found.is_loopback


def refusal(allowed: frozenset[str]) -> Callable[[str], str]:
    """Judges the addresses that allowed names lead to."""

    def why(address: str) -> str:
        if normalize_host(address) in allowed or not suspect(address):
            return ""
        return "where no model is served; if it is meant, list that address itself in collect.allowed_probe_hosts"

    return why


def normalize_host(host: str) -> str:
    """One spelling of a host.

    >>> [normalize_host(host) for host in ("Model.Example.com.", "[::0:1]", "10.0.0.1")]
    ['model.example.com', '::1', '10.0.0.1']
    """
    name = host.strip().lower().removeprefix("[").removesuffix("]").rstrip(".")
    return str(ip_address(name) or name)
