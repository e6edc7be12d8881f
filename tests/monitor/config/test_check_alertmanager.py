"""What a config may say about Alertmanager, and whom it then tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.alerting.receivers import receivers
from monitor.clock import SystemClock
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.settings.receiver_names import receiver_names

MEMBERS = "members: ['http://a:9093', 'https://b/alertmanager']"


def _load(folder: Path, section: str, more: str = "") -> list[str]:
    """Everyone who is told."""
    path = folder / "watchkeeper.yaml"
    path.write_text(f"model: delays\nalertmanager: {{{section}}}\n{more}")
    config = load(path, {"SLACK_BOT_TOKEN": "xoxb-1"})
    assert [name for name in receiver_names(config) if ":" not in name] == list(receivers(config, SystemClock()))
    return receiver_names(config)


def test_with_alertmanager_slack_is_told_only_if_it_is_asked_for(tmp_path: Path) -> None:
    both = ["alertmanager:a:9093", "alertmanager:b"]
    assert _load(tmp_path, MEMBERS) == ["console", *both]
    assert _load(tmp_path, MEMBERS, "slack: {channel: '#c'}\nconsole: false\n") == both
    assert _load(tmp_path, MEMBERS, "slack: {channel: '#c', also_direct: true}\n") == ["console", "slack", *both]


def test_the_token_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush\n")
    (tmp_path / "own.pem").write_text("-----BEGIN CERTIFICATE-----")
    path = tmp_path / "watchkeeper.yaml"
    path.write_text(f"model: delays\nalertmanager: {{{MEMBERS}, token_file: token, ca_file: own.pem}}\n")
    settings = load(path, {}).alertmanager
    assert settings is not None and settings.token is not None
    assert settings.token.get_secret_value() == "hush"
    assert settings.ca_file == tmp_path / "own.pem"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("members: []", "at least 1"),
        ("members: ['am:9093']", "write http://127.0.0.1:9093"),
        ("members: ['http://u:hush@am:9093']", "can't stand in the URL"),
        ("members: ['http://am:9093/?token=hush']", "name the address alone, such as http://am:9093"),
        ("members: ['http://am:9093', 'http://am:9093/']", "am:9093 twice"),
        (f"{MEMBERS}, labels: {{severity: page}}", "severity is set by Watchkeeper itself"),
        (f"{MEMBERS}, labels: {{alertname: x}}", "alertname is set by Watchkeeper itself"),
        (f"{MEMBERS}, labels: {{the-team: x}}", "'the-team' is no label name; use letters, digits and _"),
        (f"{MEMBERS}, token_file: none", "can't be read"),
        (f"{MEMBERS}, ca_fil: x", "ca_file"),
        (f"{MEMBERS}, ca_file: none.pem", "none.pem can't be read"),
    ],
)
def test_says_what_is_wrong_and_where_without_a_secret(tmp_path: Path, section: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, section)
    assert said in str(raised.value)
    assert raised.value.line == 2
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("url", ["grafana.example", "https://grafana.example/?orgId=1", "'https://g.example/a b'"])
def test_grafanas_address_must_be_one_that_a_path_can_follow(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, MEMBERS, f"grafana:\n  url: {url}\n")
    assert raised.value.line == 4
    assert "grafana.url: this is" in str(raised.value)


def test_the_pages_address_must_be_one_since_alertmanager_refuses_others(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, MEMBERS, "public_url: watch.example\n")
    assert raised.value.line == 3
    assert "public_url: this is no URL of a server; write http://this.example" in str(raised.value)
