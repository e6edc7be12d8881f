from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from monitor.config.errors import ConfigError
from monitor.config.json_schema import text as schema_text
from monitor.config.known_keys import keys, section, top_keys
from monitor.config.load import load
from monitor.settings.checks import PRESET_METHODS, DriftMethod, DriftSettings
from monitor.settings.root import Config
from monitor.settings.server import ProcessSettings
from monitor.settings.shipped_files import shared_file

SMALLEST = """\
model: delays
server: {preset: fastapi, url: http://127.0.0.1:8080}
reference: reference.parquet
slack: {channel: "#ml-oncall"}        # token from SLACK_BOT_TOKEN
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "watchkeeper.yaml"


def read(file: Path, text: str, **environment: str) -> Config:
    file.write_text(text, "utf-8")
    return load(file, environment)


def problems(file: Path, text: str, **environment: str) -> list[str]:
    """What is wrong with the file, without its path: '7: unknown key…'."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environment)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


def test_the_four_line_file(file: Path) -> None:
    config = read(file, SMALLEST, SLACK_BOT_TOKEN="xoxb-1")
    model = config.models[0]
    assert model.model == "delays"
    assert model.reference_file == file.parent / "reference.parquet"
    assert model.server is not None and model.server.url == "http://127.0.0.1:8080"
    assert config.slack is not None and config.slack.token is not None
    assert config.slack.token.get_secret_value() == "xoxb-1"
    assert config.database == f"sqlite:///{file.parent}/watchkeeper.db"


def test_an_app_token_from_the_environment_is_for_buttons(file: Path) -> None:
    file.write_text('model: delays\nslack: {channel: "#c", mentions: {critical: ["@here", S012]}}\n')
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    slack = load(file, tokens).slack
    assert slack is not None and slack.app_token is not None
    assert (slack.app_token.get_secret_value(), "xapp-1" in repr(slack)) == ("xapp-1", False)
    assert list(slack.mentions.values()) == [["here", "S012"]]


def test_a_slack_channel_without_a_token_says_how_to_set_it(file: Path) -> None:
    (problem,) = problems(file, SMALLEST)
    assert problem.startswith("4: slack: there is no bot token for channel #ml-oncall; set the environment variable")
    assert "SLACK_BOT_TOKEN" in problem
    assert load(file, {}, notify=False).slack is not None


def test_an_unknown_key_names_file_line_and_the_nearest_key(file: Path) -> None:
    text = "model: delays\nwindows:\n  every: 1h\nserver:\n  url: http://h:1\n\nrefernce: r.parquet\n"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == f"{file}:7: unknown key 'refernce'; did you mean 'reference'?"
    assert (caught.value.path, caught.value.line) == (str(file), 7)
    assert caught.value.message == "unknown key 'refernce'; did you mean 'reference'?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model: a\nallowed_lateness: 5m", "2: unknown key 'allowed_lateness'; it belongs under 'windows'"),
        ("model: a\nlateness: 5m", "2: unknown key 'lateness'; did you mean 'allowed_lateness' under 'windows'?"),
        ("model: a\nwindows: {evry: 5m}", "2: unknown key 'evry' in windows; did you mean 'every'?"),
        ("model: a\nwindows: {listen: 5m}", "2: unknown key 'listen' in windows; it belongs at the top of the file"),
        (
            "model: a\nwindows: {qqq: 5}",
            "2: unknown key 'qqq' in windows; known here: allowed_lateness, every, min_rows",
        ),
        ("model: a\nchecks:\n  drift:\n    bin: 5", "4: unknown key 'bin' in checks.drift; did you mean 'bins'?"),
        (
            "models:\n- model: a\n  labels: {x: 1}",
            "3: unknown key 'x' in models[0].labels; known here: coverage, maturity",
        ),
        ("models: [{model: b}]\nmodel: a", "2: key 'model' belongs to a model; write it inside an entry of models"),
        ("modle: a", "1: unknown key 'modle'; did you mean 'model'?"),
        (
            "model: a\nrules:\n- name: r\n  metric: window_rows\n  abov: 3",
            "5: unknown key 'abov' in rule 'r'; did you mean 'above'?",
        ),
        ("model: a\nmodel: b", "2: key 'model' stands twice; it is already on line 1"),
        ("model: a\nserver: {url: http://a}\nserver: {url: http://b}", "3: key 'server' stands twice"),
        ("model: a\nwindows: {every: 5x}", "2: windows.every: '5x' is no duration; write 15s, 5m, 1h or 7d"),
        ("model: a\nwindows: {every: -5}", "2: windows.every: a duration can't be negative"),
        ("model: a\nwindows: {min_rows: few}", "2: windows.min_rows must be a whole number"),
        ("model: a\nwindows: {min_rows: 0}", "2: windows.min_rows must be at least 1"),
        ("model: a\nwindows: 5", "2: windows must be a section with keys of its own"),
        ("model: a\nlabels: {coverage: 2}", "2: labels.coverage must be at most 1"),
        ("model: a\ntime: liv", "2: time must be 'live' or 'replay'; did you mean 'live'?"),
        ("model: a\nconsole: perhaps", "2: console must be true or false"),
        ("model: a\ncollect: {disks: /}", "2: collect.disks must be a list"),
        ("model: a b", "1: model must be at most 100 letters, digits, '_', '.' or '-'"),
        ("model: a\nserver: {preset: fastapi}", "2: 'url' is missing in server"),
        ("model: a\nserver: {url: 'ftp://x'}", "2: server.url: this is no URL of a server"),
        ("model: a\nserver: {url: 'http://u:hunter2@x'}", "2: server.url: user name and password can't stand"),
        ("model: a\nserver: {url: 'http://a', process: {pidfile: x}}", "2: unknown key 'pidfile' in server.process"),
        ("model: a\nserver: {url: 'http://a', process: {port: 0}}", "2: server.process.port must be at least 1"),
        ("model: a\nserver: {url: 'http://a', process: {name: ' '}}", "2: server.process: name must be a program's"),
        ("model: a\nserver: {url: 'http://a', process: {}}", "2: server.process: give exactly one of pid, pid_file"),
        ("model: a\nserver: {url: 'http://a', process: 5}", "2: server.process must be a section with keys"),
        ("model: a\nlisten: 9797", "2: listen must be text"),
        ("model: a\nlisten: localhost", "2: listen: 'localhost' is no address; write host:port"),
        ("model: a\nlisten: 0.0.0.0:9797", "2: listen: 0.0.0.0:9797 can be reached from other machines, which needs"),
        ("model: a\ndatabase: 'sqlite:///:memory:'", "2: database: one in memory can't be shared"),
        ("model: a\nslack: {timeout: 5s}", "2: slack: name the channel"),
        ("model: a\nslack: {channel: c, token: 5}", "2: slack.token must be text"),
        ("model: a\nslack: {channel: c, token: t, allow: [bob]}", "2: slack.allow[0]: 'bob' is no id of a user"),
        (
            "model: a\nslack: {channel: c, token: t, mentions: {info: [bob]}}",
            "2: slack.mentions.info[0]: 'bob' is no id",
        ),
        ("model: a\nslack: {channel: c, token: t, time_zone: Mars/X}", "2: slack.time_zone: there is no time zone"),
        ("model: a\nslack: {channel: c, token: t, app_token: t}", "2: slack: app_token is no app-level token"),
        (
            "model: a\nslack: {webhook_url: w, app_token: xapp-1}",
            "2: slack: app_token is for buttons, which need a bot",
        ),
        ("models: []", "1: name at least one model"),
        ("models:\n- model: a\n- model: a", "1: model 'a' stands twice"),
        ("windows: {every: 1h}", "1: no model is named; write model: <name>"),
        ("listen: localhost:1", "1: no model is named; write model: <name>"),
        ("model: [", "1: not valid YAML:"),
        ("model: a\n\tb: c", "2: not valid YAML: found character '\\t'"),
        ("- model: a", "1: the file must consist of keys, such as model: and server:"),
        ("a: &a [*a]", "1: not valid YAML: an alias contains itself"),
    ],
)
def test_each_mistake_is_one_sentence_with_its_line(file: Path, text: str, expected: str) -> None:
    (problem,) = problems(file, text)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "{name: r, metric: feature_drif, above: 1}",
            "rule 'r': unknown metric 'feature_drif'; did you mean 'feature_drift'?",
        ),
        (
            "{name: r, metric: watchkeeper_feature_drift, above: 1}",
            "rule 'r': unknown metric 'watchkeeper_feature_drift'; did you mean 'feature_drift'?",
        ),
        ("{name: r, metric: zzz, above: 1}", "rule 'r': unknown metric 'zzz'; known: check_failing, "),
        ("{name: r, above: 1}", "'metric' is missing in rule 'r'"),
        ("{name: r, metric: window_rows}", "rule 'r': give exactly one of above, below and outside"),
        (
            "{name: r, metric: window_rows, above: 1, below: 0}",
            "rule 'r': give exactly one of above, below and outside",
        ),
        ("{name: r, metric: window_rows, above: much}", "rule 'r': above: 'much' is no level"),
        ("{name: r, metric: window_rows, above: 1, for: x}", "rule 'r': for: 'x' is no duration"),
        (
            "{name: r, metric: window_rows, above: 1, clear: 2}",
            "rule 'r': clear (2) lies beyond above (1), so the alert could never hold",
        ),
        ("{name: r, metric: performance, below: {reference: -1}, clear: {reference: -2}}", "rule 'r': clear (-2) lies"),
        (
            "{name: r, metric: feature_drift, above: 1, match: {featur: a}}",
            "rule 'r': feature_drift has no label 'featur'; its labels are feature, method",
        ),
        (
            "{name: r, metric: prediction_age_seconds, above: 1, match: {a: b}}",
            "rule 'r': prediction_age_seconds has no label 'a'; it has no labels",
        ),
        (
            "{name: r, metric: window_rows, above: 1, summary: '{{ valu }}'}",
            "rule 'r': summary names 'valu', which is not known",
        ),
        ("{name: r, metric: window_rows, above: 1, summary: '{{ x'}", "rule 'r': summary is no valid template"),
        ("{name: r, metric: window_rows, above: 1, summary: '{{ value | prozent }}'}", "rule 'r': summary is no valid"),
        ("{name: cpu-high, above: 1, below: 0}", "rule 'cpu-high': give exactly one of above, below and outside"),
    ],
)
def test_each_mistake_in_a_rule(file: Path, rule: str, expected: str) -> None:
    (problem,) = problems(file, f"model: a\nrules:\n  - {rule}\n")
    assert problem.startswith(f"3: {expected}")


def test_all_problems_are_listed_in_the_order_of_the_file(file: Path) -> None:
    text = "model: a\ntime: never\nconsole: 7\nwindows:\n  every: soon\n  min_rows: -1\nrules:\n- {name: r}\nx: 1\n"
    found = problems(file, text)
    assert [problem.split(":")[0] for problem in found] == ["2", "3", "5", "6", "8", "9"]


def test_rules_are_judged_although_the_rest_is_wrong_in_meaning(file: Path) -> None:
    twice = "- {name: r, metric: nope, above: 1}\n- {name: r, metric: load1_ratio, above: 1}"
    text = f"model: a\nlisten: here\nrules:\n{twice}"
    assert [problem.split(":")[0] for problem in problems(file, text)] == ["2", "4", "5"]


def test_environment_is_filled_in(file: Path) -> None:
    text = (
        "model: ${NAME}\nserver: {url: 'http://${HOST:-localhost}:${PORT:-80}', timeout: '${T}'}\n"
        "windows: {min_rows: '${ROWS}'}\npublic_url: http://a/$${NAME}\nreference: '${EMPTY:-other}.csv'\n"
    )
    config = read(file, text, NAME="delays", PORT="81", T="3s", ROWS="7", EMPTY="")
    model = config.models[0]
    assert (model.model, model.windows.min_rows) == ("delays", 7)
    assert model.server is not None
    assert (model.server.url, model.server.timeout) == ("http://localhost:81", 3.0)
    assert config.public_url == "http://a/${NAME}"
    assert model.reference_file == file.parent / "other.csv"


def test_an_unset_variable_is_named_with_its_line(file: Path) -> None:
    found = problems(file, "model: a\nslack:\n  channel: c\n  token: ${NO_SUCH}\npublic_url: ${bad name}\n")
    assert found[0] == "4: environment variable NO_SUCH is not set; set it, or write ${NO_SUCH:-default}"
    assert found[1].startswith("5: '${bad name}': write ${NAME} or ${NAME:-default}")


def test_no_error_shows_a_value_from_the_environment(file: Path) -> None:
    text = (
        "model: a\nwindows:\n  every: ${S}\ntime: ${S}\nlisten: ${S}\nserver: {url: '${S}', timeout: '${S}'}\n"
        "slack: {channel: c, token: '${S}', webhook_url: [1]}\nrules:\n- {name: r, metric: '${S}', above: '${S}'}\n"
    )
    found = problems(file, text, S="hunter2")
    assert len(found) >= 4
    assert "hunter2" not in "\n".join(found)


def test_no_secret_shows_in_the_config_itself(file: Path) -> None:
    (file.parent / "admin").write_text("hunter2-hunter2-hunter2\n")
    config = read(
        file,
        "model: a\nslack: {channel: c, token: hunter2}\ntokens: {ingest: hunter2-hunter2-hunter2, admin_file: admin}\n",
    )
    assert config.tokens.admin is not None and config.tokens.admin.get_secret_value() == "hunter2-hunter2-hunter2"
    assert "hunter2" not in repr(config) + str(config) + config.model_dump_json()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tokens: {admin_file: none}", "tokens.admin_file: {folder}/none can't be read: No such file or directory"),
        ("tokens: {admin_file: empty}", "tokens.admin_file: {folder}/empty is empty"),
        ("tokens: {admin_file: binary}", "tokens.admin_file: {folder}/binary is not text"),
        ("tokens: {admin_file: empty, admin: x}", "give tokens.admin or tokens.admin_file, not both"),
        ("slack: {channel: c, token_file: none}", "slack.token_file: {folder}/none can't be read"),
        ("slack: {webhook_url_file: none}", "slack.webhook_url_file: {folder}/none can't be read"),
    ],
)
def test_a_secrets_file_that_is_no_use(file: Path, text: str, expected: str) -> None:
    (file.parent / "empty").write_text(" \n")
    (file.parent / "binary").write_bytes(b"\xff\xfe\x00")
    (problem,) = problems(file, f"model: a\n{text}\n")
    assert problem.startswith("2: " + expected.format(folder=file.parent))


def test_an_empty_variable_gives_no_token(file: Path) -> None:
    config = read(file, "model: a\ntokens: {ingest: '${T:-}'}\n")
    assert config.tokens.ingest is None


@pytest.mark.parametrize(
    ("listen", "fine"),
    [
        ("127.0.0.1:1", True),
        ("localhost:1", True),
        ("'[::1]:1'", True),
        ("0.0.0.0:1", False),
        ("10.0.0.1:1", False),
        ("'[::]:1'", False),
        ("watch.example:1", False),
    ],
)
def test_other_addresses_than_loopback_need_tokens(file: Path, listen: str, fine: bool) -> None:
    text = f"model: a\nlisten: {listen}\n"
    if fine:
        read(file, text)
    else:
        assert "needs tokens.ingest and tokens.admin" in problems(file, text)[0]
        assert "needs tokens.admin (or" in problems(file, text + "tokens: {ingest: an-ingest-token-1}\n")[0]
    read(file, text + "tokens: {ingest: an-ingest-token-1, admin: an-admin-token-22}\n")
    read(file, text + "insecure: true\n")


def test_a_missing_unreadable_or_empty_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: there is no such file; `watchkeeper init` writes one"):
        load(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load(tmp_path, {})
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    with pytest.raises(ConfigError, match="the file is empty"):
        load(tmp_path / "empty.yaml", {})
    (tmp_path / "binary.yaml").write_bytes(b"model: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary.yaml", {})


def test_relative_paths_are_the_config_folders(file: Path) -> None:
    config = read(file, "model: a\nreference: sub/r.csv\ndatabase: 'sqlite:///w.db?timeout=3'\n")
    assert config.models[0].reference_file == file.parent / "sub" / "r.csv"
    assert config.database == f"sqlite:///{file.parent}/w.db?timeout=3"
    config = read(file, "model: a\nserver: {url: 'http://a', process: {pid_file: run/server.pid}}\n")
    assert config.models[0].server is not None
    assert config.models[0].server.process == ProcessSettings(pid_file=file.parent / "run" / "server.pid")
    assert read(file, "model: a\ndatabase: postgresql://h/d\n").database == "postgresql://h/d"
    assert read(file, "model: a\ndatabase: sqlite:////x/w.db\n").database == "sqlite:////x/w.db"


def test_yaml_anchors_and_merges_work(file: Path) -> None:
    config = read(
        file, "models:\n- &a {model: a, windows: &w {every: 2h}}\n- {<<: *a, model: b, windows: {<<: *w, min_rows: 3}}"
    )
    first, second = config.models
    assert (first.windows.every, second.windows.every, second.windows.min_rows) == (7200.0, 7200.0, 3)


@pytest.mark.parametrize("name", ["example.yaml", "init.yaml"])
def test_the_shipped_examples_are_valid(name: str, tmp_path: Path) -> None:
    assert load(shared_file(name), {"SLACK_BOT_TOKEN": "x"}).models


def test_the_example_shows_every_key() -> None:
    text = shared_file("example.yaml").read_text("utf-8")
    known = set(top_keys())
    for name in top_keys():
        inner = section((name, 0)) if name in ("models", "rules") else section((name,))
        known |= set(keys(inner)) if inner else set()
    assert [key for key in sorted(known) if not re.search(rf"\b{key}:", text)] == []


def test_every_method_of_drift_can_be_named(file: Path) -> None:
    from checks.drift.methods.registry import METHODS
    from checks.drift.presets.compare import METHODS as EXACT

    assert get_args(DriftMethod) == tuple(METHODS)
    exact = {preset: {name for names in kinds.values() for name in names} for preset, kinds in EXACT.items()}
    assert {preset: set(names) for preset, names in PRESET_METHODS.items()} == exact
    every = f"model: a\nchecks: {{drift: {{methods: [{', '.join(METHODS)}]}}}}"
    drift = read(file, every).models[0].checks.drift
    assert drift is not None
    assert drift.chosen == tuple(METHODS)


def test_a_preset_of_drift_needs_a_file(file: Path) -> None:
    (problem,) = problems(file, "model: a\nreference: {first: 7d}\nchecks: {drift: {preset: evidently}}")
    assert "checks.drift.preset: evidently compares rows with those of a file" in problem
    assert read(file, "model: a\nreference: r.csv\nchecks: {drift: {preset: evidently}}").models


def test_drift_has_its_methods_and_a_preset_its_own() -> None:
    assert DriftSettings().chosen == ("psi", "jensenshannon")
    assert DriftSettings(preset="evidently").chosen == ()
    assert DriftSettings(preset="nannyml", methods=["chi2", "wasserstein"]).chosen == ("chi2", "wasserstein")
    for wrong, text in (
        ({"methods": ["chi2"]}, "drift without a preset has no method 'chi2'; it has psi,"),
        ({"preset": "nannyml", "methods": ["psi"]}, "preset nannyml has no method 'psi'; it has jensen_shannon,"),
        ({"methods": []}, "methods is empty"),
    ):
        with pytest.raises(ValueError, match=text):
            DriftSettings.model_validate(wrong)


def test_the_published_schema_is_fresh() -> None:
    assert shared_file("watchkeeper.schema.json").read_text("utf-8") == schema_text(), (
        "run: python -m monitor.config.json_schema"
    )
