"""What is refused of receivers, routes and the heartbeat, by line; and where their secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.load import load

BASE = "model: delays\n"


def problems(folder: Path, text: str) -> str:
    (folder / "w.yaml").write_text(BASE + text)
    with pytest.raises(ConfigError) as caught:
        load(folder / "w.yaml", {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("routes:\n  - receivers: [consol]\n", "w.yaml:3: there is no receiver 'consol'; did you mean 'console'?"),
        ("routes:\n  - receivers: [slack]\n", "there is no receiver 'slack'"),
        ("routes:\n  - {receivers: [console], mute_times: [nights]}\n", "there is no mute time 'nights'"),
        ("routes:\n  - {receivers: [console], matchers: [severity]}\n", "is no matcher"),
        ("receivers:\n  - {name: a, webhook: {url: nowhere}}\n", "receiver 'a': webhook.url: this is no URL"),
        ("receivers:\n  - {name: a, webhook: {url: http://x, template: '{{ incidnt }}'}}\n", "'incidnt' is not known"),
        ("receivers:\n  - {name: a}\n", "give exactly one of webhook, pagerduty"),
        ("receivers:\n  - {name: console, pagerduty: {routing_key: x}}\n", "is taken by Watchkeeper's own receiver"),
        ("receivers:\n  - {name: a, pagerduty: {}}\n", "give pagerduty.routing_key"),
        ("receivers:\n  - {name: a, pagerduty: {routing_key_file: gone}}\n", "gone can't be read"),
        ("receivers:\n  - {name: a, apprise: {}}\n", "give apprise.urls"),
        ("receivers:\n  - {name: a, apprise: {urls: ['nothing://hunter2']}}\n", "address 1 names no service"),
        (
            "receivers:\n  - {name: a, pagerduty: {routing_key: x}, fallback: a}\n",
            "there is no receiver 'a'; known are console",
        ),
        ("heartbeat: {url: nowhere}\n", "heartbeat.url: this is no URL"),
        ("mute_times:\n  - {name: n, times: ['9-5']}\n", "is no time of day"),
        ("inhibitions:\n  - {source: [rule=a], target: []}\n", "inhibitions"),
        ("routes:\n  - {receivers: [console], routes: []}\n", "write the inner routes before this one"),
        ("routes:\n  - {receivers: [console], group_by: [model]}\n", "write group: <name> in the rules"),
        ("routes:\n  - {receiver: console}\n", "write receivers, a list"),
        ("routes:\n  - {receivers: [console], match: {severity: critical}}\n", "write matchers: [name=value]"),
        ("route: {receiver: console}\n", "write routes, a list"),
        ("inhibit_rules: []\n", "write inhibitions, a list"),
        ("mute_times:\n  - {name: n, weekdays: ['monday:friday']}\n", "write days"),
        ("mute_times:\n  - {name: n, months: [smarch]}\n", "'smarch' is no month"),
        ("routes:\n  - {receivers: [console], matchers: ['model=~[0-9]{2}']}\n", "brace at one end alone"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path: Path, text: str, says: str) -> None:
    told = problems(tmp_path, text)
    assert says in told
    assert "hunter2" not in told


def test_secrets_come_from_files_and_are_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y\n")
    (tmp_path / "urls").write_text("json://127.0.0.1/s3cret\n\njson://127.0.0.1/other\n")
    (tmp_path / "w.yaml").write_text(
        BASE
        + "receivers:\n  - {name: duty, pagerduty: {routing_key_file: key}}\n"
        + "  - {name: all, apprise: {urls_file: urls}}\n"
        + "  - {name: tool, webhook: {url: 'http://127.0.0.1/s3cret', secret: s3cret}}\n"
    )
    config = load(tmp_path / "w.yaml", {})
    duty, all_, _tool = config.receivers
    assert duty.pagerduty is not None and duty.pagerduty.routing_key is not None
    assert duty.pagerduty.routing_key.get_secret_value() == "k3y"
    assert all_.apprise is not None and len(all_.apprise.urls) == 2
    assert "s3cret" not in repr(config) and "k3y" not in repr(config)
