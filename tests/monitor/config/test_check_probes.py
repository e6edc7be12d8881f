from __future__ import annotations

from pathlib import Path

import pytest

from alerts.rules.rule import Severity
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.config.rules_in_force import default_rules
from monitor.settings.root import Config
from tests.fakes.authority import Authority

TENSOR = "{name: x, shape: [2], datatype: FP32, data: [1, 2]}"


def read(folder: Path, text: str, **environment: str) -> Config:
    file = folder / "watchkeeper.yaml"
    file.write_text(text, "utf-8")
    return load(file, environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **environment)
    return [line.removeprefix(f"{folder}/watchkeeper.yaml:") for line in str(caught.value).splitlines()]


def test_probes_of_every_kind(tmp_path: Path) -> None:
    Authority(tmp_path, "ca")
    config = read(
        tmp_path,
        f"""
model: delays
server: {{url: http://model.internal:8080}}
collect: {{allowed_probe_hosts: [Gateway.example.com, "10.0.0.5", "fd00::1", backend]}}
probes:
- {{name: health, url: http://localhost:8080/health, matches: ok, status: [200, 204], interval: 10s, timeout: 2s}}
- {{name: own, url: "http://[::1]:8080", method: HEAD}}
- {{name: server, url: http://MODEL.internal:9000/}}
- name: gateway
  url: https://gateway.example.com./predict
  ca_file: ca.pem
  kind: json
  headers: {{Authorization: "Bearer ${{TOKEN}}", X-Unset: "${{UNSET:-}}"}}
  body: {{instances: [[1, 2]]}}
  answer: {{predictions: [1]}}
- {{name: infer, url: "http://10.0.0.5", kind: open_inference, body: {{inputs: [{TENSOR}]}}}}
- {{name: six, url: "http://[fd00:0::1]/"}}
""",
        TOKEN="geheim",
    )
    probes = {probe.name: probe for probe in config.models[0].probes}
    assert (probes["health"].interval, probes["health"].timeout, probes["own"].interval) == (10, 2, 30)
    assert probes["gateway"].ca_file == tmp_path / "ca.pem"
    assert probes["gateway"].headers["Authorization"].get_secret_value() == "Bearer geheim"
    assert "geheim" not in repr(config)


HOW = "it is neither this machine nor the host of server.url; if it is meant, add it to collect.allowed_probe_hosts"


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ("url: http://other.example/", f"url: probes may not address other.example: {HOW}"),
        ("url: http://169.254.169.254/", f"url: probes may not address 169.254.169.254: {HOW}"),
        ("url: http://2852039166/", f"url: probes may not address 2852039166: {HOW}"),
        ("url: http://0.0.0.0:80/", f"url: probes may not address 0.0.0.0: {HOW}"),
        ("url: 'http://localhost@10.0.0.1/'", "url: user name and password can't stand in the URL"),
        ("url: http://model.internal.evil.example/", f"url: probes may not address model.internal.evil.example: {HOW}"),
        ("url: file:///etc/passwd", "url: this is no URL of a server; write http://127.0.0.1:8080"),
        ("url: 'http://127.0.0.1:x/'", "url: this is no URL; write http://127.0.0.1:8080"),
        ("url: 'http://127.0.0.1/a b'", "url: spaces, # and other than ASCII characters must be percent-encoded"),
        ("url: 'http://127.0.0.1/ä'", "url: spaces, # and other than ASCII characters must be percent-encoded"),
        ("url: 'http://127.0.0.1/#a'", "url: spaces, # and other than ASCII characters must be percent-encoded"),
        ("ca_file: ca.pem", "ca_file: is for https only, and the url is not"),
        ("url: 'https://localhost', ca_file: none.pem", "ca_file: PATH/none.pem can't be read: No such file"),
        ("url: 'https://localhost', ca_file: w.txt", "ca_file: PATH/w.txt has no certificates in PEM form"),
        ("headers: {'X Y': geheim}", "headers['X Y']: this is no name of a header"),
        ("headers: {Host: a, Content-Length: '5'}", "headers['Content-Length']: this header is Watchkeeper's own"),
        ('headers: {Key: "geheim\\nX: y"}', "headers.Key: its value has characters that a header can't have"),
        ('headers: {Key: "geheim€"}', "headers.Key: its value has characters that a header can't have"),
        ("status: []", "status: must be a list of HTTP statuses from 200 to 599"),
        ("status: [100]", "status: must be a list of HTTP statuses from 200 to 599"),
        ("matches: 'a('", "matches: is no regular expression: missing ), unterminated subpattern"),
        ("matches: '.*ok.*'", "matches: leave out what it begins with"),
        ("answer: 1", "answer: needs kind: json (or open_inference)"),
        ("kind: json, body: {day: 2024-01-01}", "body: has a date in it, which JSON has not"),
        ("kind: json, answer: .nan", "answer: has a number that is not finite"),
        ("method: HEAD, matches: ok", "method: an answer to HEAD has no body that could be judged; use GET or POST"),
        ("kind: json, method: HEAD", "method: an answer to HEAD has no body that could be judged; use GET or POST"),
        ("kind: open_inference", "body: is missing: the request with its inputs"),
        ("kind: open_inference, method: GET, body: {inputs: [%s]}", "method: an inference is asked for by POST"),
        ("kind: open_inference, body: {inputs: {}}", "body.inputs: needs inputs: a list of"),
        (
            "kind: open_inference, body: {inputs: [%s, {name: y}]}",
            "body.inputs[1]: 'shape' is missing",
        ),
        (
            "kind: open_inference, body: {inputs: [{name: x, shape: [3], datatype: FP32, data: [1, 2]}]}",
            "body.inputs[0].data: has 2 elements, but shape [3] means 3",
        ),
        (
            "kind: open_inference, body: {inputs: [%s]}, answer: {outputs: [{name: y}]}",
            "answer.outputs[0]: needs name and data",
        ),
    ],
)
def test_what_is_wrong_with_a_probe(probe: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("hello")
    address = "" if probe.startswith("url") else "url: http://127.0.0.1:1, "
    given = f"{{name: p, {address}{probe.replace('%s', TENSOR)}}}"
    found = problems(tmp_path, f"model: delays\nserver: {{url: http://model.internal}}\nprobes:\n- {given}\n")
    assert len(found) == 1
    assert found[0].startswith(f"4: probe 'p': {expected.replace('PATH', str(tmp_path))}")
    assert "geheim" not in found[0]


def test_a_problem_inside_a_request_is_at_its_own_line(tmp_path: Path) -> None:
    text = """\
models:
- model: a
- model: b
  probes:
  - name: infer
    url: http://127.0.0.1
    kind: open_inference
    body:
      inputs:
      - name: x
        shape: [1]
        datatype: float
        data: [1]
"""
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("12: probe 'infer': body.inputs[0].datatype: must be one of BOOL, UINT8")


def test_names_stand_once_in_a_model(tmp_path: Path) -> None:
    probe = "{name: p, url: http://127.0.0.1}"
    assert problems(tmp_path, f"model: a\nprobes:\n- {probe}\n- {probe}") == [
        "4: probe 'p': name: this name stands twice; give each probe its own"
    ]
    read(tmp_path, f"models:\n- {{model: a, probes: [{probe}]}}\n- {{model: b, probes: [{probe}]}}")


@pytest.mark.parametrize("host", ["http://h", "h:80", "*", "*.example.com", "h/p", "", "[::1]:80", "a b"])
def test_a_host_that_is_listed_is_a_host_alone(host: str, tmp_path: Path) -> None:
    assert problems(tmp_path, f"model: a\ncollect:\n  allowed_probe_hosts:\n  - x\n  - '{host}'") == [
        "5: collect.allowed_probe_hosts[1] must be a host's name or address, such as model.internal"
    ]


def test_a_host_is_allowed_to_the_models_own_probes_only(tmp_path: Path) -> None:
    probe = "probes: [{name: p, url: http://model.internal}]"
    server = "server: {url: http://model.internal}"
    (problem,) = problems(tmp_path, f"models:\n- {{model: a, {server}}}\n- {{model: b, {probe}}}")
    assert problem.startswith("3: probe 'p': url: probes may not address model.internal")


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ("timeout: 0", "probes[0].timeout: must be from 100ms to 5m, and is 0s"),
        ("timeout: 10m", "probes[0].timeout: must be from 100ms to 5m, and is 10m"),
        ("interval: 0", "probes[0].interval: must be from 100ms to 7d, and is 0s"),
        ("kind: grpc", "probes[0].kind must be 'http', 'json' or 'open_inference'"),
        ("headers: {Key: 5}", "probes[0].headers.Key must be text"),
        ("intervall: 5", "unknown key 'intervall' in probes[0]; did you mean 'interval'?"),
    ],
)
def test_values_out_of_bounds(probe: str, expected: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"model: a\nprobes:\n- {{name: p, url: http://127.0.0.1, {probe}}}")
    assert problem.startswith(f"3: {expected}")


def test_no_more_probes_than_threads_are_good_for(tmp_path: Path) -> None:
    many = "\n".join(f"- {{name: p{number}, url: http://127.0.0.1}}" for number in range(33))
    (problem,) = problems(tmp_path, f"model: a\nprobes:\n{many}")
    assert problem.startswith("2: probes: ")


def test_the_shipped_rules() -> None:
    rules = {rule.name: rule for rule in default_rules()}
    failing, expiring = rules["probe-failing"], rules["certificate-expiring"]
    assert (failing.severity, failing.group, failing.for_.seconds) == (Severity.CRITICAL, "server", 120)
    assert expiring.below is not None and expiring.below.value == 14 * 86400
