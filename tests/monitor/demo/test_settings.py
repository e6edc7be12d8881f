from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.config.rules_in_force import all_rules, default_rules
from monitor.demo.settings import LATENESS_SECONDS, WINDOW_SECONDS, write_config
from monitor.demo.story import REPLAY, story


def written(folder: Path, **environment: str) -> Path:
    (folder / "reference.parquet").touch()
    return write_config(
        folder, reference=folder / "reference.parquet", server="http://127.0.0.1:8", port=9, environment=environment
    )


def test_it_is_an_ordinary_config(tmp_path: Path) -> None:
    config = load(written(tmp_path))
    model = config.models[0]
    assert (model.model, model.time) == ("delays", "replay")
    assert (model.windows.every, model.windows.allowed_lateness) == (WINDOW_SECONDS, LATENESS_SECONDS)
    assert model.server is not None and model.server.url == "http://127.0.0.1:8"
    assert config.listen == "127.0.0.1:9"
    assert config.slack is None


def test_the_rules_that_have_to_tell_of_the_faults_are_in_force(tmp_path: Path) -> None:
    rules = {rule.name: rule for rule in all_rules(load(written(tmp_path)))}
    for fault in story(REPLAY[0]):
        assert rules[fault.rule].enabled
    latency, shipped = rules["latency-high"], next(rule for rule in default_rules() if rule.name == "latency-high")
    assert latency.above is not None and shipped.above is not None
    assert latency.above.model_copy(update={"baseline": shipped.above.baseline}) == shipped.above
    assert latency.summary == shipped.summary, "only waiting times are shortened"


def test_slack_is_told_only_with_token_and_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    config = load(written(tmp_path, SLACK_BOT_TOKEN="xoxb-1", SLACK_CHANNEL="#ml"))
    assert config.slack is not None and config.slack.channel == "#ml"
    elsewhere = load(
        written(tmp_path, SLACK_BOT_TOKEN="xoxb-1", SLACK_CHANNEL="#ml", SLACK_API_URL="http://127.0.0.1:8/")
    )
    assert elsewhere.slack is not None and elsewhere.slack.api_url == "http://127.0.0.1:8/"
    assert load(written(tmp_path, SLACK_BOT_TOKEN="xoxb-1")).slack is None
    assert load(written(tmp_path, SLACK_CHANNEL="#ml")).slack is None
    assert "xoxb-1" not in written(tmp_path, SLACK_BOT_TOKEN="xoxb-1", SLACK_CHANNEL="#ml").read_text()
