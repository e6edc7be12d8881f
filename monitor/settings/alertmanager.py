"""What the config may say about Alertmanager."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from alerts.duration import Interval, Timeout
from monitor.settings.base import Settings


class AlertmanagerSettings(Settings):
    """Alertmanager's API v2; every member of a cluster is told."""

    members: list[str] = Field(min_length=1)
    """Addresses, such as http://alertmanager:9093, each with its path prefix if it has one."""
    resend: Interval = 60.0
    """Time after which what still fires is sent again."""
    timeout: Timeout = 10.0
    """Of one request."""
    labels: dict[str, str] = {}
    """Added to every alert."""
    token: SecretStr | None = None
    """Bearer token."""
    token_file: Path | None = None
    """A file with the token."""
    ca_file: Path | None = None
    """Authorities (PEM) that are trusted instead of the system's."""
