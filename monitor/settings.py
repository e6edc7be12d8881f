"""What the config file may say. Reading the file, line numbers and hints are `monitor.config`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from alerts.duration import Seconds
from alerts.rule import Rule

Task = Literal["binary", "multiclass", "regression"]
FeatureType = Literal["numeric", "categorical", "boolean"]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SchemaSettings(Settings):
    """Overrides of what is inferred from the reference."""

    task: Task | None = None
    target: str | None = None
    prediction: str | None = None
    score: str | None = None
    """Binary: the column with the positive class's probability."""
    positive_class: str | int | bool | None = None
    id: str | None = None
    time: str | None = None
    features: dict[str, FeatureType] = {}
    ignore: list[str] = []


class ServerSettings(Settings):
    preset: Literal["fastapi"] = "fastapi"
    url: str
    metrics_path: str = "/metrics"
    interval: Seconds = 15.0
    timeout: Seconds = 5.0
    exclude: list[str] = ["/metrics", "/health", "/healthz", "/readyz"]
    """Handlers that are not the model's traffic."""


class WindowSettings(Settings):
    every: Seconds = 3600.0
    lateness: Seconds = 300.0
    min_rows: int = Field(200, ge=1)


class LabelSettings(Settings):
    maturity: Seconds = 7 * 86400.0
    """Event time after a window's end at which its performance stops being provisional."""
    coverage: float = Field(0.95, gt=0, le=1)
    """Share of labels at which it stops earlier."""


class DriftSettings(Settings):
    methods: list[Literal["psi", "jensenshannon"]] = ["psi", "jensenshannon"]
    ignore: list[str] = []
    bins: int = Field(10, ge=2, le=200)


class CheckSettings(Settings):
    drift: DriftSettings | None = DriftSettings()
    quality: bool = True
    performance: bool = True


class ModelSettings(Settings):
    model: ModelName
    reference: Path | None = None
    schema_: SchemaSettings = Field(SchemaSettings(), alias="schema")
    server: ServerSettings | None = None
    windows: WindowSettings = WindowSettings()
    labels: LabelSettings = LabelSettings()
    time: Literal["live", "replay"] = "live"
    checks: CheckSettings = CheckSettings()


class SlackSettings(Settings):
    channel: str | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    webhook_url: SecretStr | None = None
    webhook_url_file: Path | None = None
    api_url: str = "https://slack.com/api/"
    timeout: Seconds = 10.0


class CollectSettings(Settings):
    interval: Seconds = 15.0
    host: bool = True
    disks: list[Path] = [Path("/")]


class TokenSettings(Settings):
    """Bearer tokens; needed as soon as `listen` is not loopback."""

    ingest: SecretStr | None = None
    ingest_file: Path | None = None
    admin: SecretStr | None = None
    admin_file: Path | None = None


class LimitSettings(Settings):
    body_bytes: int = Field(16 << 20, ge=1 << 10)
    rows: int = Field(100_000, ge=1)
    features: int = Field(5_000, ge=1)
    string_length: int = Field(4_096, ge=1)
    queue_bytes: int = Field(64 << 20, ge=1 << 20)


class RetentionSettings(Settings):
    events: Seconds = 14 * 86400.0
    history: Seconds = 400 * 86400.0


class WorkerSettings(Settings):
    timeout: Seconds = 300.0
    memory_bytes: int = Field(2 << 30, ge=128 << 20)
    idle: Seconds = 60.0


class Config(Settings):
    """The whole file. One model's keys may stand at the top, or several under `models`."""

    models: list[ModelSettings]
    listen: str = "127.0.0.1:9797"
    database: str = ""
    """An SQLAlchemy URL; a SQLite file beside the config unless given."""
    collect: CollectSettings = CollectSettings()
    slack: SlackSettings | None = None
    console: bool = True
    """Print alerts to stderr, too."""
    public_url: str = ""
    """The address under which people reach this page; for links in messages."""
    hosts: list[str] = []
    """Names by which requests may address the page and the API, beside localhost, IP addresses, `listen`'s and
    `public_url`'s; others are refused, so that no web page reaches them through a name of its own."""
    rules: list[Rule] = []
    """Added to the shipped ones; a rule with a shipped one's name replaces it."""
    default_rules: bool = True
    tokens: TokenSettings = TokenSettings()
    limits: LimitSettings = LimitSettings()
    retention: RetentionSettings = RetentionSettings()
    worker: WorkerSettings = WorkerSettings()
    evaluate: Seconds = 15.0
    """How often system rules are judged and the arrival log is looked at."""
    insecure: bool = False

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
