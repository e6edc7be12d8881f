from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.monitor.cli.conftest import Command


@pytest.fixture
def reference(watchkeeper: Command) -> Path:
    """A reference of two days, hour by hour, and a config that names it."""
    rng = random.Random(7)
    path = Path("r.csv")
    lines = ["time,late,prediction,score,carrier,distance"]
    for n in range(4800):
        score = rng.random()
        lines.append(
            f"{1_370_044_800 + n * 36},{int(rng.random() < score)},{int(score > 0.5)},{score:.4f},"
            f"{rng.choice('ABC')},{rng.gauss(1000, 200):.1f}"
        )
    path.write_text("\n".join(lines) + "\n")
    Path("watchkeeper.yaml").write_text("model: delays\nreference: r.csv\nschema: {target: late}\n")
    return path


def test_a_reference_is_built_once_listed_and_shown(reference: Path, watchkeeper: Command) -> None:
    ran = watchkeeper("reference", "build")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"delays: reference 1 from 4,800 rows of {reference.resolve()} (built)\n"
    assert watchkeeper("reference", "build").out.endswith("(unchanged)\n")
    (listed,) = json.loads(watchkeeper("reference", "list", "--json").out)
    assert (listed["id"], listed["model"], listed["n"]) == (1, "delays", 4800)
    assert str(reference.resolve()) in watchkeeper("reference", "list").out


def test_show_has_features_types_and_limits(reference: Path, watchkeeper: Command) -> None:
    watchkeeper("reference", "build")
    page = json.loads(watchkeeper("reference", "show", "--json").out)
    assert page["schema"]["features"] == {"carrier": "categorical", "distance": "numeric"}
    assert sorted(page["bins"]["f:carrier"]) == ["(new)", "(other)", "A", "B", "C"]
    assert 0.6 < page["performance"]["accuracy"]["value"] < 0.9
    limits = {(limit["metric"], limit["labels"].get("feature")): limit for limit in page["limits"]}
    assert limits["feature_drift", "distance"]["limit"] > 0
    assert limits["feature_drift", "distance"]["side"] == "high"
    statistic = next(limit for limit in page["limits"] if limit["labels"].get("method") == "chisquare")
    assert statistic["limit"] > 5, "as it is measured, not the effect that it is calibrated by"
    said = watchkeeper("reference", "show", "--id", "1").out
    for text in (
        "reference 1 of delays: 4,800 rows",
        "1 categorical   carrier",
        "1 numeric       distance",
        "accuracy",
    ):
        assert text in said
    assert "feature_drift" in said


def test_what_is_not_there_is_said(reference: Path, watchkeeper: Command) -> None:
    watchkeeper("db", "upgrade")
    assert watchkeeper("reference", "list").out == "no references; `watchkeeper reference build` makes them\n"
    ran = watchkeeper("reference", "show")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("model delays has no such reference")
    assert watchkeeper("reference", "build", "--model", "other").status == 2


def test_a_model_without_a_reference(reference: Path, watchkeeper: Command) -> None:
    Path("watchkeeper.yaml").write_text("model: delays\n")
    ran = watchkeeper("reference", "build")
    assert ran.status == 2
    assert ran.err == "the config names no reference's file; write reference: <file>, or say --from\n"


def test_several_models_must_be_told_apart(reference: Path, watchkeeper: Command) -> None:
    watchkeeper("db", "upgrade")
    Path("watchkeeper.yaml").write_text("models: [{model: a}, {model: b}]\n")
    ran = watchkeeper("reference", "show")
    assert (ran.status, ran.err) == (2, "say which model: --model a or b\n")


def test_a_file_that_can_not_be_a_reference(reference: Path, watchkeeper: Command) -> None:
    reference.write_bytes(b"\x00\x01")
    ran = watchkeeper("reference", "build")
    assert ran.status == 2
    assert ran.err.startswith("model delays: ")
    assert len(ran.err.splitlines()) == 1
