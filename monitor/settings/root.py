"""What the config file may say. Reading the file, line numbers and hints are `monitor.config`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator

from alerts.delivery.mute_times import MuteTime
from alerts.delivery.receiver_settings import ReceiverSettings
from alerts.delivery.routing import Inhibition, Route
from alerts.duration import Interval, Length, Seconds, Timeout, within
from alerts.rules.rule import Rule
from monitor.settings.alertmanager import AlertmanagerSettings
from monitor.settings.base import Settings
from monitor.settings.model import ModelSettings
from monitor.settings.server import CollectSettings
from monitor.settings.slack import SlackSettings


class HeartbeatSettings(Settings):
    """A dead man's switch: an address that is asked as long as rules are judged and notifications delivered. Whoever
    listens there tells people when that ends."""

    url: SecretStr
    """The address, which is a secret of its own."""
    interval: Annotated[Seconds, AfterValidator(within(1.0, 7 * 86400.0))] = 60.0
    """Time between two requests."""
    timeout: Timeout = 10.0
    """Of one request."""


class GrafanaSettings(Settings):
    """The Grafana that has the shipped dashboards (`watchkeeper dashboards export`)."""

    url: str
    """Where people reach it, with its path if it has one; messages and pages link to it."""


class TokenSettings(Settings):
    """Bearer tokens of 16 characters and more; those of `ingest` and `admin` are needed as soon as `listen` is not
    loopback."""

    ingest: SecretStr | None = None
    """Of model servers, which send predictions and labels."""
    ingest_file: Path | None = None
    """A file with the ingest token."""
    admin: SecretStr | None = None
    """Of people and tools, which acknowledge and silence."""
    admin_file: Path | None = None
    """A file with the admin token."""
    read: SecretStr | None = None
    """Of people and of Prometheus, which read pages, the API and `/metrics`; without it, everybody may. The admin token
    opens the same. A browser asks for it as a password, under any user name."""
    read_file: Path | None = None
    """A file with the read token."""


class LimitSettings(Settings):
    body_bytes: int = Field(16 << 20, ge=1 << 10, le=1 << 40)
    """Bytes of a request's body, packed and unpacked."""
    rows: int = Field(100_000, ge=1, le=10**9)
    """Rows of a batch."""
    features: int = Field(5_000, ge=1, le=10**6)
    """Features of a row."""
    string_length: int = Field(4_096, ge=1, le=1 << 30)
    """Characters of a text."""
    queue_bytes: int = Field(64 << 20, ge=1 << 20, le=1 << 40)
    """Accepted and not yet on disk, of all requests together; beyond it the answer is 429."""
    connections: int = Field(512, ge=16, le=10**6)
    """Connections at a time. Beyond it one is closed that has been idle for longest, or has not finished its request;
    one that has shown a right token is not."""


class RetentionSettings(Settings):
    events: Length = 14 * 86400.0
    """Raw events and labels, and profiles of windows shorter than an hour."""
    hours: Length = 35 * 86400.0
    """Profiles of an hour: what windows that look back over days are put together from."""
    history: Length = 400 * 86400.0
    """Profiles of a day, measurements, alerts."""


class WorkerSettings(Settings):
    timeout: Annotated[Seconds, AfterValidator(within(0.1, 86400.0))] = 300.0
    """Time after which a job is stopped."""
    memory_bytes: int = Field(2 << 30, ge=128 << 20)
    """Memory beyond which the worker is ended."""
    idle: Annotated[Seconds, AfterValidator(within(0.0, 86400.0))] = 60.0
    """Time without work after which the worker ends until it is needed again."""


SHIPPED_INHIBITIONS = [
    Inhibition(
        source=["rule=server-down"],
        # Names alone, so that the daemon carries no engine for expressions.
        target=[
            "rule=~latency-high|errors-high|no-traffic|probe-failing|"
            "feature-drift|feature-drift-over|prediction-drift|prediction-drift-over"
        ],
    ),
    Inhibition(source=["rule=feature-drift"], target=["rule=feature-drift-over"], equal=["model", "feature"]),
    Inhibition(source=["rule=prediction-drift"], target=["rule=prediction-drift-over"]),
    # What is seen as labels come is not told once more as they are compacted.
    Inhibition(source=["rule=data-unusable", "kind=labels"], target=["rule=labels-invalid"]),
]


class Config(Settings):
    """The whole file. One model's keys may stand at the top, or several under `models`."""

    models: list[ModelSettings]
    """The models, each with the keys that one model has at the top."""
    listen: str = "127.0.0.1:9797"
    """Address and port; another address than this machine's own needs tokens, or `insecure`."""
    database: str = ""
    """An SQLAlchemy URL; a SQLite file beside the config unless given."""
    collect: CollectSettings = CollectSettings()
    """What is sampled of this machine."""
    slack: SlackSettings | None = None
    """Slack: one message an incident, changed in place."""
    alertmanager: AlertmanagerSettings | None = None
    """Alertmanager, which then routes to people itself."""
    receivers: list[ReceiverSettings] = []
    """Whom to tell beside slack, alertmanager and the console."""
    routes: list[Route] = []
    """Which receivers are told of which incidents; without any, all of all."""
    mute_times: list[MuteTime] = []
    """Times of the week in which routes tell nobody."""
    inhibitions: list[Inhibition] = SHIPPED_INHIBITIONS
    """What keeps which alerts back; the default holds back what follows from a server that is down, and longer spans
    of what has drifted in a single window."""
    acknowledged_for: Length = 86400.0
    """How long an acknowledgement holds."""
    heartbeat: HeartbeatSettings | None = None
    """A dead man's switch."""
    console: bool = True
    """Print alerts to stderr, too."""
    public_url: str = ""
    """The address under which people reach this page; for links in messages."""
    grafana: GrafanaSettings | None = None
    """The Grafana with the shipped dashboards, for links to them."""
    allowed_hosts: list[str] = []
    """Names by which requests may address the page and the API, beside localhost, IP addresses, `listen`'s and
    `public_url`'s; others are refused, so that no web page reaches them through a name of its own."""
    rules: list[Rule] = []
    """Added to the shipped ones; one with a shipped rule's name changes or replaces that."""
    default_rules: bool = True
    """The shipped rules (config/rules.yaml) are in force."""
    rule_tests: list[str] = []
    """Files of rule tests, which `check-config` runs; `*` stands for any part of a name."""
    tokens: TokenSettings = TokenSettings()
    """Who may send, and who may act."""
    limits: LimitSettings = LimitSettings()
    """Bounds of what is taken, of one request unless said otherwise."""
    retention: RetentionSettings = RetentionSettings()
    """How long what is stored is kept."""
    worker: WorkerSettings = WorkerSettings()
    """The process that does the numerics."""
    evaluate: Interval = 15.0
    """How often system rules are judged and the arrival log is looked at."""
    insecure: bool = False
    """Listen on another address than this machine's own without tokens."""

    @model_validator(mode="before")
    @classmethod
    def _one_model(cls, value: Any) -> Any:
        """The short form, with one model's keys at the top, as the long one."""
        if not isinstance(value, dict) or "models" in value:
            return value
        names = {field.alias or name for name, field in ModelSettings.model_fields.items()}
        own = {key: item for key, item in value.items() if key in names}
        rest = {key: item for key, item in value.items() if key not in names}
        return {"models": [own], **rest} if own else value

    @model_validator(mode="after")
    def _distinct(self) -> Config:
        names = [model.model for model in self.models]
        if not names:
            raise ValueError("name at least one model")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"model {min(twice)!r} stands twice")
        return self
