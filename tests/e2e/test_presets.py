"""A daemon that measures drift by a library's own definitions: the shipped rules fire for the fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import batches, write_reference
from tests.seeds import half

CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {every: 1h, allowed_lateness: 5m, min_rows: 50}
labels: {maturity: 3h}
collect: {host: false, container: false, gpu: false}
evaluate: 500ms
"""


@pytest.mark.parametrize(
    ("drift", "rows", "method"),
    half(
        [
            ("{preset: evidently}", 900, "ks"),  # a p-value: below its limit
            ("{preset: nannyml, methods: [wasserstein, chi2]}", 3_000, "wasserstein"),
            ("{methods: [ks, chisquare, psi]}", 3_000, "ks"),
        ]
    ),
)
@pytest.mark.timeout(180)
def test_the_fault_is_told_by_the_columns_first_method_and_ends(
    drift: str, rows: int, method: str, tmp_path: Path
) -> None:
    write_reference(tmp_path / "reference.csv", rows=rows)
    with Daemon(tmp_path, f"{CONFIG}checks: {{drift: {drift}}}\n") as daemon:
        for kind, batch in batches(hours=16, fault=range(8, 12)):
            assert daemon.post(f"/v1/models/parcels/{kind}", batch)[0] == 202
        judged = "select value from measurements where name = 'drifted_features' and value is not null"
        wait_for(lambda: len(daemon.rows(judged)) >= 15 or None, "every window is judged", 120)
        wanted = (
            "select labels, after from transitions where rule = 'feature-drift' and after in ('firing', 'inactive')"
        )
        told = [(json.loads(labels), after) for labels, after in daemon.rows(wanted)]
        distance = [after for labels, after in told if labels["feature"] == "distance"]
        assert {labels["method"] for labels, _ in told if labels["feature"] == "distance"} == {method}
        assert distance[-2:] == ["firing", "inactive"]
        if "nannyml" not in drift:  # whose thresholds unchanged windows pass, too
            assert len(distance) == 2
        assert ("by evidently's" in daemon.log.read_text()) == ("evidently" in drift)
