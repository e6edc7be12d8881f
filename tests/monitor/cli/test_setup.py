from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.config.load import load
from tests.monitor.cli.conftest import Command


def write(text: str) -> None:
    Path("watchkeeper.yaml").write_text(text)


REFERENCE = "target,prediction,score,colour,distance\n" + "".join(
    f"{n % 2},{n % 2},0.{n % 9 + 1},{'red' if n % 3 else 'blue'},{n * 1.5}\n" for n in range(60)
)


def test_init_writes_a_config_that_is_valid(watchkeeper: Command) -> None:
    ran = watchkeeper("init")
    assert (ran.status, ran.err) == (0, "")
    assert load("watchkeeper.yaml", {}).models[0].model == "my-model"


def test_init_fills_in_what_it_is_given(watchkeeper: Command) -> None:
    watchkeeper("init", "w.yaml", "--model", "m.1", "--reference", "it's: a file.csv", "--server", "http://[::1]:81/a")
    model = load("w.yaml", {}).models[0]
    assert model.model == "m.1"
    assert model.reference_file is not None and model.reference_file.name == "it's: a file.csv"
    assert model.server is not None and model.server.url == "http://[::1]:81/a"


def test_init_overwrites_only_when_told(watchkeeper: Command) -> None:
    write("mine")
    ran = watchkeeper("init", "--model", "m")
    assert (ran.status, ran.err) == (2, "watchkeeper.yaml exists already; --force overwrites it\n")
    assert Path("watchkeeper.yaml").read_text() == "mine"
    assert watchkeeper("init", "--model", "m", "--force").status == 0
    assert load("watchkeeper.yaml", {}).models[0].model == "m"


def test_init_into_a_folder_that_is_not_there(watchkeeper: Command) -> None:
    ran = watchkeeper("init", "no/such/folder.yaml")
    assert (ran.status, ran.err) == (1, "no/such/folder.yaml can't be written: No such file or directory\n")


def test_check_config_shows_what_it_understood(watchkeeper: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-hunter2")
    Path("r.csv").write_text(REFERENCE)
    write(
        "model: delays\nreference: r.csv\nserver: {url: http://127.0.0.1:8080}\nslack: {channel: '#ml'}\n"
        "tokens: {admin: hunter3-hunter3-hunter3}\nrules: [{name: cpu-high, above: 0.5}]\ndatabase: postgresql://u:hunter4@h/d\n"
        "grafana: {url: https://g.example/a}\n"
    )
    ran = watchkeeper("check-config")
    assert (ran.status, ran.err) == (0, "")
    for text in (
        "grafana      https://g.example/a\n",
        "model delays",
        "binary",
        "1 numeric       distance",
        "1 categorical   colour",
        "http://127.0.0.1:8080/metrics (preset fastapi, every 15s)",
        "1h, 5m lateness, at least 200 rows",
        "slack.token **** (from environment variable SLACK_BOT_TOKEN)",
        "tokens.admin **** (from the config file itself)",
        "postgresql://h/d",
        "cpu_utilization_ratio{scope=host} > 50% for 10m",
        "performance{metric=accuracy, segment=} (mean of 7 windows) < reference - 0.05 for 2 windows",
        "feature_drift{over=} > its calibrated limit or < its calibrated limit for 2 windows",
        "feature_drift{over=*} > its calibrated limit or < its calibrated limit for 2 windows",
        "drift      by psi, jensenshannon\n",
        "latency_p95_seconds > 3 × its median of the last 1h, at least 100ms for 1m",
    ):
        assert text in ran.out
    assert "hunter" not in ran.out


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        ("{methods: [ks, wasserstein]}", "by ks, wasserstein; none of them is for colour, whose drift is not measured"),
        ("{methods: [ks], ignore: [colour]}", "by ks\n"),
        ("{methods: [z]}", "by z; z is for columns with two values\n"),
        ("{methods: [ks, chisquare]}", "by ks, chisquare\n"),
        ("{preset: nannyml}", "preset nannyml (its own choice): drift goes by nannyml's definitions over rows"),
        ("null", "drift      not measured"),
    ],
)
def test_check_config_says_how_drift_is_measured_and_where_it_is_not(
    drift: str, said: str, watchkeeper: Command
) -> None:
    Path("r.csv").write_text(REFERENCE)
    write(f"model: delays\nreference: r.csv\nchecks: {{drift: {drift}}}\n")
    ran = watchkeeper("check-config")
    assert (ran.status, ran.err) == (0, "")
    assert said in ran.out


def test_check_config_says_where_weights_are_from_and_which_no_feature_has(watchkeeper: Command) -> None:
    Path("r.csv").write_text(REFERENCE)
    Path("weights.csv").write_text("feature,importance\ndistance,1\ncolour,3\ncolour_red,4\n")
    write("model: delays\nreference: r.csv\nchecks: {drift: {importance: weights.csv}}\n")
    ran = watchkeeper("check-config")
    assert (ran.status, ran.err) == (0, "")
    assert "  importance 2 features from weights.csv, colour most; the model has no feature colour_red\n" in ran.out
    write("model: delays\nreference: r.csv\nchecks: {drift: {importance: {colour: 3}}}\n")
    assert "  importance 1 feature, colour most\n" in watchkeeper("check-config").out
    write("model: delays\nreference: r.csv\n")
    assert "  importance" not in watchkeeper("check-config").out


def test_check_config_shows_probes_without_their_secrets(watchkeeper: Command) -> None:
    tensor = "{name: x, shape: [1], datatype: FP32, data: [1]}"
    write(
        "model: delays\nprobes:\n"
        "- {name: health, url: 'http://127.0.0.1/health?key=hunter2', headers: {Key: hunter3}}\n"
        "- {name: infer, url: 'http://127.0.0.1:8080', kind: open_inference, interval: 1m, "
        f"body: {{inputs: [{tensor}]}}}}\n"
    )
    out = watchkeeper("check-config").out
    assert "health: http, http://127.0.0.1/health, every 30s" in out
    assert "infer: open_inference, http://127.0.0.1:8080/v2/models/delays/infer, every 1m" in out
    assert "hunter" not in out + watchkeeper("check-config", "--json").out


def test_check_config_shows_a_preset_of_ones_own(watchkeeper: Command, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("requests: [{counter: served}]")
    Path("watchkeeper.yaml").write_text("model: a\nserver: {preset: own.yaml, url: 'http://127.0.0.1:8080'}\n")
    assert f"(preset {tmp_path}/own.yaml, every 15s)" in watchkeeper("check-config", "--json").out


def test_check_config_in_json(watchkeeper: Command) -> None:
    Path("r.csv").write_text(REFERENCE)
    write("model: delays\nreference: r.csv\n")
    said = json.loads(watchkeeper("check-config", "--json").out)
    assert (said["valid"], said["problems"]) == (True, [])
    schema = said["models"][0]["schema"]
    assert schema["features"] == {"colour": "categorical", "distance": "numeric"}
    assert (schema["target"], schema["prediction"], schema["score"]) == ("target", "prediction", "score")
    assert {"name": "disk-full", "when": "disk_utilization_ratio > 90% for 10m", "severity": "warning"}.items() <= next(
        rule for rule in said["rules"] if rule["name"] == "disk-full"
    ).items()


def test_check_config_lists_every_mistake_and_exits_2(watchkeeper: Command) -> None:
    write("model: delays\nrefernce: r.csv\nwindows: {every: never}\n")
    ran = watchkeeper("check-config")
    assert (ran.status, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert first == "watchkeeper.yaml:2: unknown key 'refernce'; did you mean 'reference'?"
    assert second.startswith("watchkeeper.yaml:3: windows.every: 'never' is no duration")
    said = json.loads(watchkeeper("check-config", "--json").out)
    assert (said["valid"], [problem["line"] for problem in said["problems"]]) == (False, [2, 3])


@pytest.mark.parametrize(
    ("reference", "extra", "expected"),
    [
        (None, "", "r.csv does not exist"),
        ("", "", "r.csv"),
        (REFERENCE, "schema: {target: truth}", "'truth'"),
        (REFERENCE, "schema: {features: {colur: categorical}}", "did you mean 'colour'"),
        (REFERENCE, "segments: [{feature: colur}]", "no feature 'colur' that is watched; did you mean 'colour'"),
        (REFERENCE, "segments: [{feature: country}]", "write {tag: country} if it is a tag"),
    ],
)
def test_check_config_judges_the_reference(
    watchkeeper: Command, reference: str | None, extra: str, expected: str
) -> None:
    if reference is not None:
        Path("r.csv").write_text(reference)
    write(f"model: delays\nreference: r.csv\n{extra}\n")
    ran = watchkeeper("check-config")
    assert ran.status == 2
    (sentence,) = ran.err.splitlines()
    assert sentence.startswith("watchkeeper.yaml: model delays: ")
    assert expected in sentence


def test_check_config_says_what_segments_cost_and_what_is_left_out(watchkeeper: Command) -> None:
    Path("r.csv").write_text(REFERENCE)
    write("model: delays\nreference: r.csv\nsegments: [colour, {tag: shop, top: 99}]\nsegment_measurements: 250\n")
    ran = watchkeeper("check-config")
    assert ran.status == 0, ran.err
    assert "colour (feature), 3 segments at most: volume, performance, drift, missing" in ran.out
    assert "shop (tag), 100 segments at most: volume" in ran.out
    assert "left out, since segment_measurements is 250: " in ran.out
    assert "drift of shop (300)" in ran.out


def test_check_config_says_that_segments_need_a_reference(watchkeeper: Command) -> None:
    write("model: delays\nsegments: [colour]\n")
    assert "segments   nothing, as long as there is no reference" in watchkeeper("check-config").out


REPORTS = """model: delays
reference: r.csv
checks:
  drifting: {type: evidently, preset: DataDriftPreset, options: {drift_shar: 0.3}}
  fine: {type: evidently, metrics: [RowCount, {MeanValue: {column: distance}}], window: 7d, every: 1d}
  means: {type: evidently, metrics: [{MeanValue: {column: distanse}}]}
  other: {type: evidently, metrics: [MeanValu]}
"""


def test_check_config_asks_evidently_about_its_own(watchkeeper: Command) -> None:
    Path("r.csv").write_text(REFERENCE)
    write(REPORTS)
    ran = watchkeeper("check-config")
    assert ran.status == 2
    drifting, means, other = ran.err.splitlines()
    assert drifting.endswith("checks.drifting: DataDriftPreset has no option 'drift_shar'; did you mean 'drift_share'?")
    assert means.endswith("MeanValue names column 'distanse', which the model has not; did you mean 'distance'?")
    assert other.endswith("checks.other: Evidently has no preset or metric 'MeanValu'; did you mean 'MeanValue'?")
    assert "fine: RowCount, MeanValue of Evidently on 7d every 1d, 5000 rows at most" in ran.out


def test_a_missing_config_says_how_to_get_one(watchkeeper: Command) -> None:
    for command in (["check-config"], ["run"], ["alerts", "list"], ["silence", "list"], ["db", "upgrade"]):
        ran = watchkeeper(*command)
        assert (ran.status, len(ran.err.splitlines())) == (2, 1)
        assert ran.err.startswith("watchkeeper.yaml: there is no such file; `watchkeeper init` writes one")


def test_check_config_says_that_slack_is_left_to_alertmanager(watchkeeper: Command) -> None:
    write("model: d\nslack: {channel: '#c'}\nalertmanager: {members: ['http://am:9093'], token: hunter2}\n")
    said = watchkeeper("check-config").out
    assert "receivers    console, alertmanager:am:9093\n" in said
    assert "slack is left to Alertmanager; slack.also_direct: true sends there all the same" in said
    assert "hunter2" not in said and "alertmanager.token" in said
    assert json.loads(watchkeeper("check-config", "--json").out)["receivers"] == ["console", "alertmanager:am:9093"]


RULE_TEST = """evaluation_interval: 15s
tests:
  - input_series: [{series: 'cpu_utilization_ratio{scope="host"}', values: 0.6x9}]
    alert_rule_test:
      - {eval_time: 30s, alertname: cpu-high}
      - {eval_time: 1m, alertname: cpu-high, exp_alerts: [exp_labels: {scope: host, severity: warning}]}
"""


def test_check_config_runs_the_tests_of_its_rules(watchkeeper: Command) -> None:
    Path("tests").mkdir()
    Path("tests/cpu.yaml").write_text(RULE_TEST)
    config = "model: d\nrules: [{name: cpu-high, above: 0.5, for: %s}]\nrule_tests: ['tests/*.yaml']\n"
    write(config % "1m")
    ran = watchkeeper("check-config")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("\nrule tests   2 of 2 cases passed\n")
    write(config % "2m")
    ran = watchkeeper("check-config")
    assert (ran.status, ran.out.splitlines()[-1]) == (1, "rule tests   1 of 2 cases passed")
    assert f"{Path('tests/cpu.yaml').resolve()}:6: alertname: cpu-high, time: 1m\n    exp: [" in ran.err
    ran = watchkeeper("check-config", "--json")
    said = json.loads(ran.out)
    assert (ran.status, said["valid"], said["rule_tests"]["cases"]) == (1, True, 2)
    [failed] = said["rule_tests"]["failed"]
    assert (failed["line"], failed["got_alerts"], failed["pending"][0]["since_seconds"]) == (6, [], 0.0)


def test_check_config_names_what_is_wrong_with_a_test_file(watchkeeper: Command) -> None:
    write("model: d\nrule_tests: [t.yaml]\n")
    ran = watchkeeper("check-config")
    assert (ran.status, ran.err) == (2, f"rule_tests: there is no file {Path('t.yaml').resolve()}\n")
    Path("t.yaml").write_text(RULE_TEST.replace("cpu-high", "cpu-hihg"))
    ran = watchkeeper("check-config", "--json")
    assert (ran.status, json.loads(ran.out)["valid"]) == (2, False)
    assert (
        "t.yaml:5: there is no rule 'cpu-hihg' in force; did you mean 'cpu-high'?" in json.loads(ran.out)["problems"][0]
    )
