"""The driver that is not there, comes, goes, hangs and is updated; through pynvml and the compiled stand-in. There is
no GPU here: what a real driver does beyond what it documents is not covered."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.collectors.gpu.process_memory import GpuProcessCollector
from monitor.collectors.gpu.timeouts import NoAnswer, Timeouts
from tests.fakes.nvml import VARIABLE, Gpus, build
from tests.fakes.nvml.watch import Watch

ROOT = Path(__file__).parents[4]


def test_a_restarted_driver_is_opened_anew(watch: Watch) -> None:
    whole = watch.sample()
    watch.gpus.set(generation=2, init=9)
    seen = watch.sample()
    assert seen["gpu_up"] == 0.0
    assert not {"gpu_utilization_ratio", "gpu_energy_joules_total"} & set(seen)
    assert seen["gpu_query_failures_total uninitialized"] == 1.0
    assert "gpu_query_failures_total driver_not_loaded" not in seen, "it is opened anew at the next sample"
    for _ in range(3):
        assert watch.sample()["gpu_up"] == 0.0
    watch.gpus.set(init=0)
    again = watch.sample(61.0)
    assert {name: again[name] for name in whole} == whole


@pytest.mark.parametrize("code", [1, 9, 18])
def test_a_driver_that_goes_during_a_sample_is_seen_through_at_once(
    watch: Watch, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    whole = watch.sample()
    watch.gpus.put({"error.nvmlDeviceGetPcieThroughput": code})
    seen = watch.sample()
    assert {name for name in seen if "failures" not in name} == {"gpu_up"}, "half a sample is worth nothing"
    watch.gpus.put({"error.nvmlDeviceGetPcieThroughput": None})
    again = watch.sample()
    assert {name: again[name] for name in whole} == whole
    assert [record.levelname for record in caplog.records if "driver has gone" in record.message] == ["WARNING"]


def test_a_driver_that_goes_again_and_again_is_left_alone_in_between(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watch.sample()
    watch.gpus.put({"error.nvmlDeviceGetPcieThroughput": 1})
    for _ in range(40):  # ten minutes
        seen = watch.sample()
        assert seen["gpu_up"] == 0.0
    assert seen["gpu_query_failures_total uninitialized"] <= 16, "twice in 75 seconds"
    assert len(caplog.records) < 35


@pytest.mark.parametrize(
    ("code", "said"), [(9, "driver_not_loaded"), (18, "version_mismatch"), (4, "no_permission"), (999, "unknown")]
)
def test_a_driver_that_does_not_open_gives_nothing_and_one_line(
    watch: Watch, code: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watch.gpus.set(init=code)
    for _ in range(20):
        seen = watch.sample()
    no_error = code == 9  # a machine that has the library and no GPU
    assert set(seen) == (set() if no_error else {f"gpu_query_failures_total {said}"})
    assert sum("no GPUs are watched" in record.message for record in caplog.records) == 1
    assert [record.levelname for record in caplog.records] == ["INFO" if no_error else "WARNING"]
    assert said in caplog.text
    watch.gpus.set(init=0)
    assert watch.sample(61.0)["gpu_up"] == 1.0, "it was loaded later"


def test_a_driver_that_shows_no_gpu_is_asked_again(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch.gpus.set(count=0)
    for _ in range(20):
        assert watch.sample() == {}
    assert caplog.text.count("the driver shows none") == 1
    watch.gpus.set(count=1)
    assert watch.sample(61.0)["gpu_up"] == 1.0


def test_gpus_that_can_not_be_listed_are_no_crash(watch: Watch) -> None:
    watch.gpus.put({"error.nvmlDeviceGetCount_v2": 999})
    assert watch.sample() == {"gpu_query_failures_total unknown": 1.0}
    watch.gpus.put({"error.nvmlDeviceGetCount_v2": None, "error.nvmlDeviceGetHandleByIndex_v2": 4})
    assert watch.sample(61.0) == {
        "gpu_query_failures_total unknown": 1.0,
        "gpu_query_failures_total no_permission": 1.0,
    }
    watch.gpus.put({"error.nvmlDeviceGetHandleByIndex_v2": None})
    assert watch.sample(61.0)["gpu_up"] == 1.0


@pytest.mark.parametrize("function", ["nvmlDeviceGetTemperature", "nvmlEventSetWait_v2"])
def test_a_driver_that_hangs_holds_up_no_sample_and_shows_no_old_number(
    gpus: Gpus, function: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(gpus)
    whole = watch.sample()
    gpus.put({"0.processes": "17:5"})
    server = GpuProcessCollector(watch.collector, lambda: {17}, "delays")
    assert [row.value for row in server.collect(0.0, watch.now)] == [5.0]
    gpus.put({f"hang.{function}": 1})
    watch.be_patient(0.4)
    for times in (1.0, 2.0):
        assert watch.sample() == {"gpu_up": 0.0, "gpu_query_failures_total no_answer": times}
        assert [row.value for row in server.collect(0.0, watch.now)] == [None]
    assert caplog.text.count("has not answered") == 1
    assert sum(thread.name == "gpu" for thread in threading.enumerate()) == 1
    gpus.put({f"hang.{function}": None})
    _until_no_thread_asks()
    watch.be_patient()
    again = watch.sample()
    assert {name: again[name] for name in whole} == whole
    watch.collector.close()


def test_a_driver_that_hangs_as_it_is_opened(gpus: Gpus, caplog: pytest.LogCaptureFixture) -> None:
    gpus.put({"hang.nvmlInitWithFlags": 1})
    watch = Watch(gpus, patience=0.1)
    assert watch.sample() == {"gpu_query_failures_total no_answer": 1.0}
    watch.collector.close()
    gpus.put({"hang.nvmlInitWithFlags": None})
    _until_no_thread_asks()
    watch.be_patient()
    assert watch.sample()["gpu_up"] == 1.0
    watch.collector.close()


def _until_no_thread_asks() -> None:
    for thread in threading.enumerate():
        if thread.name == "gpu":
            thread.join(timeout=30)


def test_a_hanging_driver_does_not_hold_up_the_end(nvml: Path, tmp_path: Path) -> None:
    gpus = Gpus(tmp_path / "gpus")
    gpus.put({"hang.nvmlDeviceGetTemperature": 1})
    script = """
from monitor.collectors.gpu.collector import GpuCollector
made = GpuCollector(patience=0.2)
print(sorted(row.name for row in made.collect(0.0, 0.0)))
"""
    assert _run(script, nvml.parent, gpus) == "['gpu_query_failures_total']\n"


def test_an_updated_driver_is_loaded_anew(tmp_path: Path) -> None:
    """Its library and its kernel module are replaced under the running process, which has the old library mapped."""
    build(tmp_path)
    gpus = Gpus(tmp_path / "gpus")
    script = f"""
from pathlib import Path
from monitor.collectors.gpu.collector import GpuCollector
from tests.fakes.nvml import Gpus, build
folder = Path({str(tmp_path)!r})
made = GpuCollector()
def up(second):
    return [row.value for row in made.collect(second, second) if row.name == "gpu_up"]
print(up(0.0))
gpus = Gpus(folder / "gpus")
gpus.set(release=2, generation=2)
print(up(15.0), up(30.0))
build(folder, release=2)
print(up(91.0), up(106.0))
"""
    assert _run(script, tmp_path, gpus) == "[1.0]\n[0.0] [0.0]\n[1.0] [1.0]\n"


def test_jobs_raise_where_they_were_asked_for() -> None:
    line = Timeouts()
    with pytest.raises(ZeroDivisionError):
        line.run(lambda: 1 / 0, 1.0)
    assert line.run(lambda: 5, 1.0) == 5


def test_one_job_at_a_time() -> None:
    line, go = Timeouts(), threading.Event()
    with pytest.raises(NoAnswer):
        line.run(go.wait, 0.01)
    with pytest.raises(NoAnswer):
        line.run(lambda: 5, 0.01)
    go.set()
    assert line.run(lambda: 5, 30.0) == 5


def test_without_the_library_there_is_nothing_but_one_line(tmp_path: Path) -> None:
    script = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
from monitor.collectors.gpu import driver
driver.LIBRARY = "libnvidia-ml.so.0"  # there may be a GPU where this runs
from monitor.collectors.gpu.collector import GpuCollector
made = GpuCollector()
for second in range(0, 300, 15):
    assert made.collect(second, second) == []
assert "pynvml" not in sys.modules
"""
    (line,) = _run(script, tmp_path, Gpus(tmp_path / "gpus")).splitlines()
    assert line.startswith("INFO no GPUs are watched: there is no libnvidia-ml.so.0")


def _run(script: str, libraries: Path, gpus: Gpus) -> str:
    """What the script prints, in a process of its own that finds `libraries` first."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries), VARIABLE: str(gpus.path)}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stdout
