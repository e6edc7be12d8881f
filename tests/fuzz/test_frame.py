import contextlib
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from tests.fuzz import (
    api_requests,
    config_files,
    exposition_texts,
    ingest_bodies,
    inputs,
    reference_files,
    sample_part,
)
from tests.fuzz.__main__ import PARTS, Timed, _seconds, report
from tests.fuzz.counts import FLAT, Counts


@pytest.mark.release  # processes that are started, and one that hangs
def test_a_part_goes_on_after_a_child_that_ended_or_hung_and_counts_each_input_once(tmp_path: Path) -> None:
    seed = next(
        seed
        for seed in range(1000)
        if {inputs.content(sample_part.PART, seed, index) for index in range(12)} == set(sample_part.KINDS)
        and sum(inputs.content(sample_part.PART, seed, index) == b"sleeps" for index in range(12)) == 1
    )
    wanted = Counter(inputs.content(sample_part.PART, seed, index) for index in range(12))
    found = inputs.run("tests.fuzz.sample_part", seed, 120.0, tmp_path)
    assert (found.accepted, found.refused) == (wanted[b"fine"], wanted[b"refused"])
    assert found.failures["hangs"] == 1
    assert found.failures["the process ended with 3"] == wanted[b"ends"]
    assert sum(times for kind, times in found.failures.items() if kind.startswith("KeyError")) == wanted[b"raises"]
    assert b"sleeps" in [path.read_bytes() for path in found.kept]
    assert report([found], tmp_path) == 1


MODULES = [config_files, exposition_texts, ingest_bodies, reference_files, api_requests]


@pytest.mark.parametrize(
    ("module", "many"),
    [*zip(MODULES[:4], (2, 100, 300, 8), strict=True), pytest.param(MODULES[4], 1, marks=pytest.mark.release)],
)
def test_each_part_reads_what_it_makes(module: ModuleType, many: int, tmp_path: Path) -> None:
    part: inputs.Part = module.PART
    for index in range(many):
        with contextlib.suppress(*part.documented):
            part.take(inputs.content(part, 3, index), tmp_path)


def test_all_parts_run() -> None:
    assert {module.PART.name for module in MODULES} == set(PARTS)
    assert sum(part.share for part in PARTS.values()) == pytest.approx(1.0)


def test_an_input_is_the_same_whenever_it_is_made() -> None:
    made = [inputs.content(config_files.PART, 7, index) for index in range(30)]
    assert made == [inputs.content(config_files.PART, 7, index) for index in range(30)]
    assert len(set(made)) > 25


def test_a_part_that_needs_less_time_leaves_it_to_the_others() -> None:
    parts = {name: Timed(share, PARTS["config"].run) for name, share in (("a", 0.5), ("b", 0.25), ("c", 0.25))}
    assert [_seconds("a", parts, 100.0), _seconds("b", parts, 90.0), _seconds("c", parts, 10.0)] == [50.0, 45.0, 10.0]


def test_nothing_tried_a_failure_and_growing_memory_are_each_not_well(tmp_path: Path) -> None:
    well = Counts("a", 10, tried=10, memory=(FLAT, 2 * FLAT))
    grown = Counts("a", 10, tried=10, memory=(FLAT, 2 * FLAT + 1))
    failed = Counts("a", 10, tried=10)
    failed.fail("KeyError at x.py:1", b"content", tmp_path, "said\ud800")
    assert [counts.is_well for counts in (well, grown, failed, Counts("a", 10))] == [True, False, False, False]
    assert failed.kept[0].read_bytes() == b"content"
    assert [report([counts], tmp_path) for counts in (well, failed)] == [0, 1]
