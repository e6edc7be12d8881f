"""How requests are sent, alike for the server's metrics and for probes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.redact import secrets
from tests.fakes.authority import Authority
from tests.monitor.config.test_check_probes import problems, read

SECTIONS = ["server: {%s}", "probes: [{name: p, %s}]"]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_server_behind_tls_of_its_own_and_a_token(tmp_path: Path, section: str) -> None:
    Authority(tmp_path, "own")
    (tmp_path / "token").write_text("the-token\n")
    keys = "url: 'https://127.0.0.1:8443', ca_file: own.pem, token_file: token, headers: {X-Key: '${KEY}'}"
    config = read(tmp_path, f"model: m\n{section % keys}\n", KEY="hunter22")
    model = config.models[0]
    found = model.server or model.probes[0]
    assert (found.ca_file, found.token_file) == (tmp_path / "own.pem", tmp_path / "token")
    assert (found.token, found.headers) == (SecretStr("the-token"), {"X-Key": SecretStr("hunter22")})
    assert {"the-token", "hunter22"} <= set(secrets(config))
    assert not [secret for secret in ("the-token", "hunter22") if secret in repr(config)]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("url: 'http://localhost', ca_file: own.pem", "ca_file: is for https only, and the url is not"),
        ("url: 'https://localhost', ca_file: own.pem", "own.pem can't be read: No such file"),
        ("url: 'http://localhost', token_file: none", "none can't be read: No such file"),
        ("url: 'http://localhost', token: a, token_file: x", "token or "),
        (
            "url: 'http://localhost', token: a, headers: {AUTHORIZATION: b}",
            "token: give it or the header Authorization",
        ),
        ('url: "http://localhost", token: "hun\\nter"', "token: it has characters that a header can't have"),
        ("url: 'http://localhost', headers: {'a b': c}", ": this is no name of a header"),
        ("url: 'http://localhost', headers: {Content-Length: c}", "this header is Watchkeeper's own to set"),
        ('url: "http://localhost", headers: {A: "hun\\nter"}', "its value has characters that a header can't have"),
    ],
)
def test_what_can_not_be_sent_is_refused_by_its_place(tmp_path: Path, section: str, keys: str, said: str) -> None:
    (line,) = problems(tmp_path, f"model: m\n{section % keys}\n")
    assert line.startswith("2: ")
    assert said in line
    assert "hun" not in line
