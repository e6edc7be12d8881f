"""A config crosses to a daemon without pydantic, and is the same there."""

from __future__ import annotations

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


PARENT = """
import os, sys
reading, writing = os.pipe()
if child := os.fork():
    os.close(writing)
    os.set_inheritable(reading, True)
    os.execv(sys.executable, [sys.executable, "-X", f"plain_settings={reading},{child}", "-c", sys.argv[1]])
os.close(reading)
os.write(writing, open(sys.argv[2], "rb").read())
%s
"""
"""Becomes another program, as `watchkeeper run` does, which reads from its child the file that was named."""


def handed(config: Config, folder: Path, end: str) -> subprocess.CompletedProcess[str]:
    """Hand the config over by a child that ends by the statement `end`."""
    (folder / "packed").write_text(handover.pack(config))
    command = [sys.executable, "-c", PARENT % end, PLAIN, str(folder / "packed")]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_a_daemon_without_pydantic_has_the_same_config(config: Config, tmp_path: Path) -> None:
    result = handed(config, tmp_path, "sys.exit(0)")
    assert result.stderr == ""
    assert result.stdout.rstrip("\n") == handover.pack(config)


def test_a_daemon_ends_as_the_process_that_refuses_its_config(config: Config, tmp_path: Path) -> None:
    refused = handed(config, tmp_path, "sys.exit(2)")
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", "")
    killed = handed(config, tmp_path, "os.kill(os.getpid(), 9)")
    assert killed.returncode == 1 and "checking the config was ended by signal 9" in killed.stderr


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
