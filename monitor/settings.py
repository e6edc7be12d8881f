"""What the config file may say. Reading the file, line numbers and hints are `monitor.config`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from alerts.duration import Seconds
from alerts.receiver import ReceiverSettings
from alerts.routing import Inhibition, MuteTime, Route
from alerts.rule import Rule
from monitor.reference_settings import ReferenceSettings
from monitor.segment_settings import SegmentSettings, distinct
from monitor.slack_settings import SlackSettings

Task = Literal["binary", "multiclass", "regression"]
FeatureType = Literal["numeric", "categorical", "boolean", "datetime"]
DriftMethod = Literal[
    "psi", "jensenshannon", "wasserstein", "ks", "chisquare", "z", "total_variation", "hellinger", "l_infinity"
]
ExactMethod = Literal["kl_div", "jensen_shannon", "kolmogorov_smirnov", "chi2"]
"""Those that presets alone have."""
PRESET_METHODS: dict[str, tuple[str, ...]] = {
    "evidently": ("ks", "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger", "chisquare", "z"),
    "nannyml": ("jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein", "chi2", "l_infinity"),
}
"""Preset → its methods, by that library's names."""
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SchemaSettings(Settings):
    """Overrides of what is inferred from the reference."""

    task: Task | None = None
    """What the model predicts: one of two classes, one of several, or a number."""
    target: str | None = None
    """The column with the true answer."""
    prediction: str | None = None
    """The column with the model's answer."""
    score: str | None = None
    """Binary: the column with the positive class's probability."""
    positive_class: str | int | bool | None = None
    """Binary: the class that counts as positive."""
    id: str | None = None
    """The column that names each prediction."""
    time: str | None = None
    """The column with the time of each prediction; with it limits know the time of day."""
    features: dict[str, FeatureType] = {}
    """Types of features, by column, where the type inferred is not the one meant."""
    ignore: list[str] = []
    """Columns that nothing watches."""


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


class ServerSettings(Settings):
    preset: Literal["fastapi"] = "fastapi"
    """What shows the server's metrics: fastapi is prometheus-fastapi-instrumentator."""
    url: str
    """The server's address, such as http://127.0.0.1:8080."""
    metrics_path: str = "/metrics"
    """Where under `url` its metrics are."""
    interval: Seconds = 15.0
    """Time between two samples."""
    timeout: Seconds = 5.0
    """Time after which a sample that has not come has failed."""
    exclude: list[str] = ["/metrics", "/health", "/healthz", "/readyz"]
    """Handlers that are not the model's traffic."""
    process: ProcessSettings | bool = True
    """The server's process; true finds it by the port of `url`, if that is this machine's."""


class ProbeSettings(Settings):
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
    headers: dict[str, SecretStr] = {}
    """Shown nowhere; one that is empty is not sent."""
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
    interval: Seconds = Field(30.0, ge=0.1)
    """Time between two requests."""
    timeout: Seconds = Field(5.0, gt=0, le=300)
    """Of the whole request, from looking up the name to the last byte of the answer."""
    ca_file: Path | None = None
    """Authorities (PEM) that are trusted instead of the system's."""


class WindowSettings(Settings):
    every: Seconds = 3600.0
    """Length of a window, in event time; fixed for a database."""
    lateness: Seconds = 300.0
    """How long after its end, in event time, a window waits for late events."""
    min_rows: int = Field(200, ge=1)
    """Rows of a window below which drift is not measured."""


class LabelSettings(Settings):
    maturity: Seconds = 7 * 86400.0
    """Event time after a window's end at which its performance stops being provisional."""
    coverage: float = Field(0.95, gt=0, le=1)
    """Share of labels at which it stops earlier."""


class DriftSettings(Settings):
    preset: Literal["evidently", "nannyml"] | None = None
    """Compare a window's rows with the reference's, by that library's own definitions and thresholds, instead of their
    profiles by limits learned from the reference. Slower: the rows are read for every window."""
    methods: list[DriftMethod | ExactMethod] | None = None
    """[psi, jensenshannon], or the preset's own choice, unless given. The first that is for a column judges it."""
    ignore: list[str] = []
    """Features whose drift is not measured, such as those that are meant to move."""
    bins: int = Field(10, ge=2, le=200)
    """Bins of a numeric feature, by quantiles of the reference."""
    importance: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | Path = {}
    """How much each feature matters to the model, in any unit: what drifted is told in the order of that, times how far
    it is beyond its limit. One that is not named matters less than all that are. Or the path of a file that says so:
    JSON or YAML {feature: weight}, or CSV of two columns."""
    over: list[Annotated[Seconds, Field(gt=0)]] = Field([], max_length=4)
    """Longer spans up to a window's end, such as 7d, that drift is measured over as well."""

    @model_validator(mode="after")
    def _known(self) -> DriftSettings:
        known = get_args(DriftMethod) if self.preset is None else PRESET_METHODS[self.preset]
        for name in self.methods or ():
            if name not in known:
                whose = f"preset {self.preset}" if self.preset else "drift without a preset"
                raise ValueError(f"{whose} has no method {name!r}; it has {', '.join(known)}")
        if self.methods == []:
            raise ValueError("methods is empty; name at least one, or write `drift: null` for none")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """`importance`, whose file has been read."""
        assert isinstance(self.importance, dict), "monitor.config reads the file"
        return self.importance

    @property
    def chosen(self) -> tuple[str, ...]:
        """The methods; none where a preset chooses for itself."""
        if self.methods is not None:
            return tuple(dict.fromkeys(self.methods))
        return ("psi", "jensenshannon") if self.preset is None else ()


class EvidentlySettings(Settings):
    """A preset or metrics of Evidently, run over a sample of a window."""

    type: Literal["evidently"]
    """Says that this is a check of Evidently."""
    preset: str | None = None
    """A class of evidently.presets, such as DataDriftPreset."""
    metrics: list[str | dict[str, dict[str, Any]]] = []
    """Classes of evidently.metrics, each by its name or as {name: options}."""
    options: dict[str, Any] = {}
    """What the preset is given."""
    window: Seconds | None = None
    """Event time that a report covers; a multiple of `windows.every`, which it is unless given."""
    every: Seconds | None = None
    """Event time between two reports; a multiple of `windows.every`; `window` unless given."""
    sample: int = Field(5_000, ge=100, le=1_000_000)
    """Rows at most, of the window and of the reference each."""
    seed: int = 0
    """Of the sampling; the same rows give the same sample."""
    timeout: Seconds = 120.0
    """Time after which a run is stopped."""
    html: bool = True
    """Keep the report as a page, too."""
    keep: int = Field(20, ge=1, le=1000)
    """Reports kept of those that an incident is linked to; of the others the newest one is."""

    @model_validator(mode="after")
    def _something(self) -> EvidentlySettings:
        if (self.preset is None) == (not self.metrics):
            raise ValueError("give either a preset or metrics")
        return self


class CheckSettings(Settings):
    """The checks that are always there, and under names of their own those with a `type`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, EvidentlySettings]

    drift: DriftSettings | None = DriftSettings()
    """Drift of features and predictions; null for none."""
    quality: bool = True
    """Missing values, values out of range, new categories, other types, NaN."""
    performance: bool = True
    """Performance on the labels that have arrived, with intervals."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        for key, item in value.items() if isinstance(value, dict) else ():
            if key not in cls.model_fields and not (isinstance(item, dict) and "type" in item):
                import difflib  # only for mistakes, of which a daemon has none

                near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(cls.model_fields)}"
                raise ValueError(f"unknown check {key!r}; {hint} (one of a name of your own needs `type: evidently`)")
        return value

    @property
    def evidently(self) -> dict[str, EvidentlySettings]:
        """Those of `type: evidently`, by name."""
        return self.__pydantic_extra__ or {}


class ModelSettings(Settings):
    model: ModelName
    """The model's name: in the label `model` and in the addresses that it is sent to."""
    reference: ReferenceSettings | None = None
    """What is normal; without one nothing is compared with a reference."""
    schema_: SchemaSettings = Field(SchemaSettings(), alias="schema")
    """What the reference's columns mean, where that can't be inferred."""
    server: ServerSettings | None = None
    """The model's server, read where it shows its metrics."""
    probes: list[ProbeSettings] = Field([], max_length=32)
    """Requests whose answer is known."""
    windows: WindowSettings = WindowSettings()
    """How event time is cut for checks."""
    labels: LabelSettings = LabelSettings()
    """When performance is final."""
    time: Literal["live", "replay"] = "live"
    """live, or replay: event time is history, whose age is not checked."""
    checks: CheckSettings = CheckSettings()
    """What is measured of each window."""
    segments: Annotated[list[SegmentSettings], AfterValidator(distinct)] = Field([], max_length=16)
    """Tags and features by whose values checks are made, too."""
    segment_measurements: int = Field(2_000, ge=1)
    """Measurements of segments that a window makes at most."""

    @model_validator(mode="after")
    def _rows(self) -> ModelSettings:
        drift = self.checks.drift
        if drift and drift.preset and self.reference is not None and self.reference.path is None:
            raise ValueError(
                f"checks.drift.preset: {drift.preset} compares rows with those of a file; give the reference a path, "
                "or leave the preset out"
            )
        return self

    @property
    def reference_file(self) -> Path | None:
        """The file that the reference is built from, if it comes from one."""
        return self.reference.path if self.reference else None


class AlertmanagerSettings(Settings):
    """Alertmanager's API v2; every member of a cluster is told."""

    members: list[str] = Field(min_length=1)
    """Addresses, such as http://alertmanager:9093, each with its path prefix if it has one."""
    resend: Seconds = 60.0
    """Time after which what still fires is sent again."""
    timeout: Seconds = 10.0
    """Of one request."""
    labels: dict[str, str] = {}
    """Added to every alert."""
    token: SecretStr | None = None
    """Bearer token."""
    token_file: Path | None = None
    """A file with the token."""
    ca_file: Path | None = None
    """Authorities (PEM) that are trusted instead of the system's."""


class HeartbeatSettings(Settings):
    """A dead man's switch: an address that is asked as long as rules are judged and notifications delivered. Whoever
    listens there tells people when that ends."""

    url: SecretStr
    """The address, which is a secret of its own."""
    interval: Seconds = Field(60.0, ge=1.0)
    """Time between two requests."""
    timeout: Seconds = 10.0
    """Of one request."""


class GrafanaSettings(Settings):
    """The Grafana that has the shipped dashboards (`watchkeeper dashboards export`)."""

    url: str
    """Where people reach it, with its path if it has one; messages and pages link to it."""


class CollectSettings(Settings):
    interval: Seconds = 15.0
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
    probe_hosts: list[str] = []
    """Hosts that probes may address, beside this machine and that of the model's `server.url`."""


class TokenSettings(Settings):
    """Bearer tokens; needed as soon as `listen` is not loopback."""

    ingest: SecretStr | None = None
    """Of model servers, which send predictions and labels."""
    ingest_file: Path | None = None
    """A file with the ingest token."""
    admin: SecretStr | None = None
    """Of people and tools, which acknowledge and silence."""
    admin_file: Path | None = None
    """A file with the admin token."""


class LimitSettings(Settings):
    body_bytes: int = Field(16 << 20, ge=1 << 10)
    """Bytes of a request's body, packed and unpacked."""
    rows: int = Field(100_000, ge=1)
    """Rows of a batch."""
    features: int = Field(5_000, ge=1)
    """Features of a row."""
    string_length: int = Field(4_096, ge=1)
    """Characters of a text."""
    queue_bytes: int = Field(64 << 20, ge=1 << 20)
    """Accepted and not yet on disk, of all requests together; beyond it the answer is 429."""


class RetentionSettings(Settings):
    events: Seconds = 14 * 86400.0
    """Raw events and labels, and profiles of windows shorter than an hour."""
    hours: Seconds = 35 * 86400.0
    """Profiles of an hour: what windows that look back over days are put together from."""
    history: Seconds = 400 * 86400.0
    """Profiles of a day, measurements, alerts."""


class WorkerSettings(Settings):
    timeout: Seconds = 300.0
    """Time after which a job is stopped."""
    memory_bytes: int = Field(2 << 30, ge=128 << 20)
    """Memory beyond which the worker is ended."""
    idle: Seconds = 60.0
    """Time without work after which the worker ends until it is needed again."""


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
    inhibitions: list[Inhibition] = [
        Inhibition(
            source=["rule=server-down"],
            target=["rule=~latency-high|errors-high|no-traffic|probe-failing|(feature|prediction)-drift(-over)?"],
        ),
        Inhibition(source=["rule=feature-drift"], target=["rule=feature-drift-over"], equal=["model", "feature"]),
        Inhibition(source=["rule=prediction-drift"], target=["rule=prediction-drift-over"]),
    ]
    """What keeps which alerts back; the default holds back what follows from a server that is down, and longer spans
    of what has drifted in a single window."""
    acknowledged_for: Seconds = 86400.0
    """How long an acknowledgement holds."""
    heartbeat: HeartbeatSettings | None = None
    """A dead man's switch."""
    console: bool = True
    """Print alerts to stderr, too."""
    public_url: str = ""
    """The address under which people reach this page; for links in messages."""
    grafana: GrafanaSettings | None = None
    """The Grafana with the shipped dashboards, for links to them."""
    hosts: list[str] = []
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
    evaluate: Seconds = 15.0
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
