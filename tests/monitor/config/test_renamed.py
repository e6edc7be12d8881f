"""Names of earlier releases are refused with the new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.catalog import CATALOG
from monitor.config.errors import ConfigError
from monitor.config.known_keys import keys, section, top_keys
from monitor.config.load import load
from monitor.config.renamed import KEYS, METRICS
from monitor.config.yaml_document import Place


def refused(folder: Path, text: str) -> str:
    file = folder / "w.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    return str(caught.value).removeprefix(f"{file}:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "model: a\nwindows:\n  lateness: 5m",
            "3: unknown key 'lateness' in windows; it is now called 'allowed_lateness'",
        ),
        (
            "model: a\nchecks: {drift: {over: [1d]}}",
            "2: unknown key 'over' in checks.drift; it is now called 'lookback'",
        ),
        (
            "models:\n- model: a\n  checks: {drift: {over: [1d]}}",
            "3: unknown key 'over' in models[0].checks.drift; it is now called 'lookback'",
        ),
        ("model: a\nhosts: [b]", "2: unknown key 'hosts'; it is now called 'allowed_hosts'"),
        (
            "model: a\nslack: {webhook_url: w, direct: true}",
            "2: unknown key 'direct' in slack; it is now called 'also_direct'",
        ),
        (
            "model: a\ncollect:\n  probe_hosts: [b]",
            "3: unknown key 'probe_hosts' in collect; it is now called 'allowed_probe_hosts'",
        ),
        (
            "model: a\nrules:\n- name: r\n  metric: gpu_temperature_left_celsius\n  below: 5",
            "4: rule 'r': metric 'gpu_temperature_left_celsius' is now called 'gpu_temperature_headroom_celsius'",
        ),
        (
            "model: a\nrules:\n- {name: r, metric: load1_ratio, above: 2, while: "
            "[{metric: watchkeeper_gpu_pcie_throughput_bytes, above: 1}]}",
            "3: rule 'r': while: metric 'watchkeeper_gpu_pcie_throughput_bytes' is now called "
            "'gpu_pcie_throughput_bytes_per_second'",
        ),
    ],
)
def test_an_old_name_is_one_sentence_that_has_the_new_one(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text) == said


def test_what_an_old_name_leads_to_is_there() -> None:
    for old, new in KEYS.items():
        *folders, key = old.split(".")
        place: Place = tuple(folders)
        known = keys(found) if place and (found := section(place)) else top_keys()
        assert new in known and key not in known, old
    assert CATALOG.keys() >= set(METRICS.values()) and not CATALOG.keys() & METRICS.keys()
