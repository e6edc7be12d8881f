"""What the config may say about the model server, its probes, and the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from alerts.duration import Interval, Seconds, Timeout, within
from monitor.settings.base import ModelName, Settings


class ProcessSettings(Settings):
    """How the server's process is found: by exactly one of these."""

    pid: int | None = Field(None, ge=1)
    """Its number."""
    pid_file: Path | None = None
    """A file that holds its number."""
    name: str | None = None
    """The name of the program, or a part of its command line."""
    port: int | None = Field(None, ge=1, le=65535)
    """The port that it listens on."""
    parent: bool = False
    """It is the process that started Watchkeeper."""

    @model_validator(mode="after")
    def _one(self) -> ProcessSettings:
        given = [self.pid, self.pid_file, self.name, self.port, self.parent or None]
        if sum(item is not None for item in given) != 1:
            raise ValueError("give exactly one of pid, pid_file, name, port and parent")
        if self.name is not None and not self.name.strip():
            raise ValueError("name must be a program's name, or a part of its command line")
        return self


def _own_file(preset: str | Path) -> str | Path:
    """Return a preset that is written as a path as one, to be taken from the config's folder like any other."""
    text = str(preset)
    return Path(text) if "/" in text or text.endswith((".yaml", ".yml")) else text


class RequestSettings(Settings):
    """The headers, token and authorities of requests to a server."""

    headers: dict[str, SecretStr] = {}
    """Shown nowhere; one that is empty is not sent."""
    token: SecretStr | None = None
    """Bearer token."""
    token_file: Path | None = None
    """A file with the token, which is read again when it changed or the token is refused."""
    ca_file: Path | None = None
    """Authorities (PEM) that are trusted instead of the system's."""


class ServerSettings(RequestSettings):
    preset: Annotated[str | Path, AfterValidator(_own_file)] = "fastapi"
    """How its metrics are read: the name of a shipped preset, or the path of a YAML file of your own (docs/server.md).
    fastapi is prometheus-fastapi-instrumentator."""
    url: str
    """The server's address, such as http://127.0.0.1:8080."""
    metrics_path: str = "/metrics"
    """Where under `url` its metrics are."""
    interval: Interval = 15.0
    """Time between two samples."""
    timeout: Timeout = 5.0
    """Time after which a sample that has not come has failed."""
    exclude: list[str] = ["/metrics", "/health", "/healthz", "/readyz"]
    """Handlers that are not the model's traffic."""
    process: ProcessSettings | bool = True
    """The server's process; true finds it by the port of `url`, if that is this machine's."""


class ProbeSettings(RequestSettings):
    """A request whose answer is known. It follows no redirect and uses no proxy; an answer is 1 MiB at most."""

    name: ModelName
    """Stands in the label `probe`."""
    url: str
    """For open_inference the server's address, or that of a model of its own: http://server/v2/models/name."""
    kind: Literal["http", "json", "open_inference"] = "http"
    """What is asked: http looks at status and text, json at the answer as JSON, open_inference speaks the Open
    Inference Protocol."""
    method: Literal["GET", "HEAD", "POST"] | None = None
    """GET, or POST where there is a body."""
    body: Any = None
    """JSON that is sent; for open_inference the request with its `inputs`."""
    status: list[int] = [200]
    """Statuses that are right."""
    matches: str | None = None
    """A regular expression that is found in the first 64 KiB of the answer's text."""
    answer: Any = None
    """JSON that the answer must hold: objects may hold more, numbers may differ by `tolerance`. For open_inference
    `outputs`, a list of {name, data}."""
    tolerance: float = Field(1e-6, ge=0)
    """By how much numbers of `answer` may differ."""
    interval: Interval = 30.0
    """Time between two requests."""
    timeout: Annotated[Seconds, AfterValidator(within(0.1, 300.0))] = 5.0
    """Of the whole request, from looking up the name to the last byte of the answer."""


class CollectSettings(Settings):
    interval: Interval = 15.0
    """Time between two samples of the machine."""
    host: bool = True
    """CPU, memory, load and disks of this machine."""
    disks: list[Path] = [Path("/")]
    """Paths whose file systems are looked at."""
    gpu: bool = True
    """GPUs, where the driver's library is found."""
    container: bool = True
    """This container's limits and use, where there are control groups."""
    cgroup: Path = Path("/sys/fs/cgroup")
    """Where control groups are mounted."""
    allowed_probe_hosts: list[str] = []
    """Hosts that probes may address, beside this machine and that of the model's `server.url`."""
