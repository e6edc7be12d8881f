"""A config crosses to a daemon without pydantic, and is the same there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.config import handover
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.config.rules_in_force import all_rules
from monitor.settings.root import Config
from monitor.settings.shipped_files import shared_file

ROOT = Path(__file__).parents[3]
PLAIN = """
import sys
from pathlib import Path
from monitor.config import handover

config = handover.take(Path("there is none"))
assert "pydantic_core" not in sys.modules
temperature = next(rule for rule in config.rules if rule.name == "temperature-drift")
assert temperature.of((("feature", "temp"), ("method", "psi"))).above.value == 0.3
assert config.routes[1].matches({"model": "fares"}) and not config.routes[1].matches({"model": "others"})
assert config == config.model_copy() and config != config.model_copy(update={"listen": "elsewhere:1"})
assert "hidden" not in f"{config.slack.token} {config.slack.token!r}"
print(handover.pack(config))
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The shipped example, which has every key, with dates among a report's options."""
    text = shared_file("example.yaml").read_text("utf-8")
    dated = text.replace("    options: {}\n", "    options: {day: 2026-01-02, at: 2026-01-02T03:04:05Z, odd: [.inf]}\n")
    assert dated != text
    (tmp_path / "watchkeeper.yaml").write_text(dated)
    return load(tmp_path / "watchkeeper.yaml", {"SLACK_BOT_TOKEN": "xoxb-hidden"})


def test_what_is_unpacked_is_what_was_packed(config: Config) -> None:
    unpacked = handover.unpack(handover.pack(config))
    assert unpacked == config.model_copy(update={"rules": all_rules(config), "default_rules": False})
    assert unpacked.model_fields_set == config.model_fields_set | {"rules", "default_rules"}


def test_a_daemon_without_pydantic_has_the_same_config(config: Config) -> None:
    options = handover.give(config)
    descriptor = int(options[1].partition("=")[2])
    try:
        result = subprocess.run(
            [sys.executable, *options, "-c", PLAIN], capture_output=True, text=True, cwd=ROOT, pass_fds=[descriptor]
        )
    finally:
        os.close(descriptor)
    assert result.stderr == ""
    assert result.stdout.rstrip("\n") == handover.pack(config)


def test_what_is_wrong_with_a_file_crosses_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "watchkeeper.yaml"
    file.write_text("model: delays\nlisten: nowhere\nrules:\n  - {name: a, metric: no_such, above: 1}\n")
    with pytest.raises(ConfigError) as expected:
        load(file)
    found = handover.read(str(file))
    assert isinstance(found, ConfigError)
    assert (str(found), found.problems) == (str(expected.value), expected.value.problems)


def test_no_class_but_our_own_is_unpacked() -> None:
    with pytest.raises(ValueError, match="subprocess is no module of ours"):
        handover.unpack('{"subprocess:Popen": [["id"]]}')


def test_a_value_that_a_config_never_holds_is_refused(config: Config) -> None:
    with pytest.raises(TypeError, match="holds no bytes"):
        handover.pack(config.model_copy(update={"listen": b""}))


def test_nothing_is_left_where_there_are_no_anonymous_files(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    assert handover.give(config) == []
