from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.load import load
from monitor.worker.messages import ModelOptions

DAY = 86400.0


def lookback(folder: Path, text: str, more: str = "") -> tuple[float, ...]:
    file = folder / "w.yaml"
    file.write_text(f"model: m\nchecks: {{drift: {{lookback: {text}}}}}\n{more}")
    return ModelOptions.of(load(file, {}).models[0]).lookback


def test_spans_are_put_in_order_and_none_is_there_unless_named(tmp_path: Path) -> None:
    assert lookback(tmp_path, "[7d, 1d, 7d]") == (DAY, 7 * DAY)
    assert lookback(tmp_path, "[]") == ModelOptions("m").lookback == ()


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("[1h]", "", "1h must be several times windows.every (1h)"),
        ("[90m]", "", "1h30m must be several times windows.every (1h)"),
        ("[1d]", "windows: {every: 1d}", "1d must be several times windows.every (1d)"),
        ("[500d]", "", "is longer than profiles are kept (retention.history: 400d)"),
        ("[0]", "", "must be from 1s to 36525d, and is 0s"),
        ("[1d, 2d, 3d, 4d, 5d]", "", "at most 4"),
    ],
)
def test_a_span_that_cannot_be_is_told_in_one_sentence(tmp_path: Path, text: str, more: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lookback(tmp_path, text, more)
    assert sentence in str(caught.value)
    assert "w.yaml:2" in str(caught.value)
