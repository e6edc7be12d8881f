from __future__ import annotations

import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, update

from checks.base import Window
from checks.inputs import CheckOptions
from monitor.store.tables import chunks, profiles, progress
from monitor.worker.messages import ModelOptions, UpkeepResult
from monitor.worker.stored.profiles import ALL_TIME, Profiles
from monitor.worker.stored.references import StoredReference, newest
from monitor.worker.tasks import compact, keep_profiles
from monitor.worker.upkeep.backfill import reprofile
from monitor.worker.upkeep.rollup import roll
from tests.monitor.worker.log import HOUR, START, Log, Prediction
from tests.monitor.worker.sample import write_reference

HOURS = 12


@pytest.fixture
def options() -> ModelOptions:
    return ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=1))


@pytest.fixture
def before(log: Log, tmp_path: Path) -> Log:
    """A log of twelve judged hours, a chunk each, and a reference that came after."""
    for hour in range(HOURS + 1):
        log.predict(*(Prediction(f"{hour}.{row}", START + hour * HOUR + row) for row in range(5)))
    log.scan()
    closings = log.closings()
    compact(log.url, log.model, 1 << 40, log.options)
    log.record(closings[-1], [])
    write_reference(log, tmp_path)
    return log


def stored(log: Log) -> StoredReference:
    with log.engine.connect() as connection:
        found = newest(connection, log.model)
    assert found is not None
    return found


def hours(log: Log) -> list[float]:
    return [(row[0] - START) / HOUR for row in log.rows(select(profiles.c.bucket_start))]


def unprofiled(log: Log) -> int | None:
    found: int | None = log.rows(select(progress.c.unprofiled))[0][0]
    return found


def test_the_newest_rows_come_first_and_each_portion_ends_in_time(before: Log) -> None:
    ticking = count()
    # One look at the clock when it begins and one after each chunk.
    assert reprofile(before.engine, before.model, before.options, 3.0, lambda: float(next(ticking))) == (3, 10)
    assert sorted(hours(before), reverse=True) == [12.0, 11.0, 10.0]
    assert unprofiled(before) == 10
    assert reprofile(before.engine, before.model, before.options, 0.0, lambda: 0.0) == (1, 9)
    assert reprofile(before.engine, before.model, before.options, 1e9, lambda: 0.0) == (9, 0)
    assert sorted(hours(before)) == [float(hour) for hour in range(HOURS + 1)]
    assert unprofiled(before) == 0


def test_what_has_a_profile_or_is_rolled_up_is_left_alone(before: Log) -> None:
    assert keep_profiles(before.url, before.model, 60.0, before.options) == UpkeepResult(
        profiled=13, waiting=0, rolled=13
    )
    assert keep_profiles(before.url, before.model, 60.0, before.options) == UpkeepResult()


def test_another_binning_begins_anew_and_leaves_the_old_ones_profiles(before: Log, tmp_path: Path) -> None:
    keep_profiles(before.url, before.model, 60.0, before.options)
    old = stored(before)
    before.options = ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=1), bins=5)
    write_reference(before, tmp_path)
    assert stored(before).id != old.id
    assert keep_profiles(before.url, before.model, 60.0, before.options).profiled == 13
    whole = Window(START, START + HOURS * HOUR)
    for reference in (old, stored(before)):
        store = Profiles(before.engine, before.model, HOUR, reference)
        found = store.of(whole, HOURS + 1)
        assert (store.read(found).n, list(found.missing)) == (60, [])


def test_a_chunk_that_cannot_be_read_stops_nobody_else(before: Log, caplog: pytest.LogCaptureFixture) -> None:
    before.write(update(chunks).where(chunks.c.seq == 5).values(payload=b"?"))
    assert reprofile(before.engine, before.model, before.options, 60.0, lambda: 0.0) == (12, 0)
    assert "can't be profiled" in caplog.text
    assert unprofiled(before) == 1
    roll(before.engine, before.model, before.options)
    with before.engine.connect() as connection:
        rolled = Profiles(before.engine, before.model, HOUR, stored(before)).rolled(connection, ALL_TIME, 1 << 40, "")
    assert START + 4 * HOUR not in [bucket.start for bucket in rolled]
    assert sorted(bucket.seconds for bucket in rolled) == [3600] * (HOURS - 1) + [86400]


def test_without_a_reference_there_is_nothing_to_do(log: Log) -> None:
    assert keep_profiles(log.url, log.model, 1.0, log.options) == UpkeepResult()


KILLED = """
import os, signal, sys
from checks.inputs import CheckOptions
from monitor.store.engine import open_engine
from monitor.worker.tasks import keep_profiles
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.profiles import Profiles

made = 0
make = Profiles.make

def some(self, id_):
    global made
    found = make(self, id_)
    made += 1
    if made == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return found

Profiles.make = some
options = ModelOptions("delays", allowed_lateness=0.0, checks=CheckOptions(min_rows=1))
keep_profiles(sys.argv[1], "delays", 60.0, options)
"""


@pytest.mark.parametrize("at", [1, 7, 13])
def test_it_goes_on_where_kill_9_ended_it(before: Log, at: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, before.url, str(at)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(hours(before)) == at
    assert keep_profiles(before.url, before.model, 60.0, before.options) == UpkeepResult(
        profiled=13 - at, waiting=0, rolled=13
    )
    store = Profiles(before.engine, before.model, HOUR, stored(before))
    found = store.of(Window(START, START + HOURS * HOUR), HOURS + 1)
    assert not found.missing
    assert store.read(found).n == store.read(found).columns["f:distance"].counts.sum() == 60
