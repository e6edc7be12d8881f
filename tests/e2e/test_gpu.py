"""A daemon on the stand-in for NVIDIA's library loses its GPU, says so, and has it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.process import Daemon, wait_for
from tests.fakes.nvml import VARIABLE, Gpus, build

CONFIG = """
model: parcels
collect: {interval: 500ms, host: false, container: false}
evaluate: 500ms
rules:
  - {name: gpu-lost, for: 0s}
"""


@pytest.mark.timeout(120)
def test_a_lost_gpu_is_told_and_so_is_its_return(tmp_path: Path) -> None:
    library = build(tmp_path)
    gpus = Gpus(tmp_path / "gpus")
    environment = {"LD_LIBRARY_PATH": str(library.parent), VARIABLE: str(gpus.path)}
    with Daemon(tmp_path / "daemon", CONFIG, env=environment) as daemon:
        busy = 'watchkeeper_gpu_utilization_ratio{gpu="0",uuid="GPU-0"} 0.37'
        wait_for(lambda: busy in daemon.get("/metrics"), "the GPU is measured")
        assert "# TYPE watchkeeper_gpu_energy_joules_total counter" in daemon.get("/metrics")

        gpus.put({"0.lost": 1, "xids": "0:79"})
        lost = 'watchkeeper_alert_state{rule="gpu-lost"} 2.0'
        wait_for(lambda: lost in daemon.get("/metrics"), "its loss is told")
        seen = daemon.get("/metrics")
        assert "watchkeeper_gpu_utilization_ratio{" not in seen
        assert 'watchkeeper_gpu_up{gpu="0",uuid="GPU-0"} 0.0' in seen
        assert 'watchkeeper_gpu_xid_errors_total{gpu="0",uuid="GPU-0",xid="79"} 1.0' in seen, "it says what happened"
        assert 'watchkeeper_alert_state{rule="gpu-xid"} 2.0' in seen
        assert daemon.get("/readyz")

        gpus.put({"0.lost": None, "generation": 2})  # a driver that is restarted is opened anew at once
        wait_for(lambda: busy in daemon.get("/metrics"), "it is back", 90)
        wait_for(lambda: lost not in daemon.get("/metrics"), "and the alert is over")
