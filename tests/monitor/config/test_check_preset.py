"""Which presets a server may name, and what is said of a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.collectors.server.preset import Counter, Preset, load_preset
from monitor.config import handover
from monitor.config.check_preset import preset_problem
from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.settings.root import Config
from monitor.settings.shipped_files import preset_files

OWN = "requests:\n  - {counter: served}\n"


def configured(folder: Path, preset: str) -> Config:
    (folder / "w.yaml").write_text(f"model: a\nserver:\n  url: http://127.0.0.1:8080\n  preset: {preset}\n")
    return load(folder / "w.yaml", {})


def refused(folder: Path, preset: str) -> str:
    with pytest.raises(ConfigError) as caught:
        configured(folder, preset)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("path", preset_files(), ids=lambda path: path.stem)
def test_a_shipped_preset_is_right_and_taken_by_its_name(tmp_path: Path, path: Path) -> None:
    assert preset_problem(path) is None
    server = configured(tmp_path, path.stem).models[0].server
    assert server is not None and load_preset(server.preset) == load_preset(path)


def test_an_unknown_name_is_refused_with_the_nearest_and_those_that_there_are(tmp_path: Path) -> None:
    names = ", ".join(path.stem for path in preset_files())
    hint = f"did you mean 'fastapi'?; there are {names}, or ./own.yaml"
    assert refused(tmp_path, "fastap") == f"w.yaml:4: server.preset: there is no preset 'fastap'; {hint}"
    assert f"'zzz'; there are {names}, or" in refused(tmp_path, "zzz")


@pytest.mark.parametrize("name", ["own.yaml", "./own.yaml", "{folder}/own.yaml", "sub/../own.yaml"])
def test_ones_own_file_is_found_from_the_configs_folder_and_crosses_to_the_daemon(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "own.yaml").write_text(OWN)
    config = handover.unpack(handover.pack(configured(tmp_path, name.format(folder=tmp_path))))
    server = config.models[0].server
    assert server is not None and isinstance(server.preset, Path) and server.preset.is_absolute()
    assert load_preset(server.preset) == Preset(requests=[Counter(counter="served")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, ": the file can't be read: No such file or directory"),
        ("", ": the file: expected a section with keys of its own, got nothing"),
        ("[", ":1: not valid YAML:"),
        ("requests: [{counter: a}]\nrequests: []", ":2: key 'requests' stands twice"),
        ("errors: []", ":1: 'requests' is missing"),
        ("requests: []", ":1: requests: expected a list of length >= 1"),
        ("requests:\n- counter: a\n  handlr: b", ":3: unknown key 'handlr' in requests[0]; did you mean 'handler'?"),
        (OWN + "latncy: {}", ":3: unknown key 'latncy'; did you mean 'latency'?"),
        (OWN + "- {counter: 5}", ":3: not valid YAML"),
        ("requests:\n- {counter: a}\n- {counter: 5}", ":3: requests[1].counter: expected text, got a whole number"),
        (OWN + "latency:\n  histogram: h\n  seconds: 0", ":5: latency.seconds: expected a number > 0.0"),
        (OWN + "latency: {seconds: 1}", ":3: 'histogram' is missing in latency"),
        (
            "requests:\n- {counter: a}\n- {counter: a, where: {s: '('}}",
            ":3: requests[1]: '(' is no regular expression: missing )",
        ),
    ],
)
def test_a_mistake_in_a_file_is_one_sentence_with_its_line_and_key(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "own.yaml").write_text(text)
    assert refused(tmp_path, "own.yaml").startswith(f"w.yaml:4: server.preset: own.yaml{said}")


def test_a_preset_is_text(tmp_path: Path) -> None:
    assert refused(tmp_path, "5") == "w.yaml:4: server.preset must be text or a path"
