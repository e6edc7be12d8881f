"""The Model dashboard's panels with what a real Prometheus saw of the demo: python -m grafana.picture.series FOLDER."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from grafana.classic import classic
from grafana.model import one_model
from monitor.clock import SystemClock
from tests.e2e.process import COMMAND, free_port, wait_for
from tests.servers.prometheus import Prometheus

DAYS = 85
"""Of the replay, at a day a second: distances in kilometres from day 30 to 40, temperatures missing from 75 to 80."""
METRICS = ("accuracy", "roc_auc")
"""As if chosen in the dashboard's variable."""
VALUES = {"job": ".+", "instance": ".+", "model": "delays", "method": ".+", "segment": ".+", "__rate_interval": "15s"}


def main(folder: Path) -> None:
    clock = SystemClock()
    port, log = free_port(), folder / "demo.log"
    command = [str(COMMAND), "demo", "--days", str(DAYS), "--dir", str(folder / "demo"), "--port", str(port)]
    with Prometheus(folder / "prometheus", f"127.0.0.1:{port}") as prometheus, log.open("wb") as out:
        demo = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: prometheus.ask("watchkeeper_window_rows"), "the first window is measured", 600)
            begun = clock.time()
            wait_for(lambda: "Config, logs and database" in log.read_text(), "the replay is over", 900)
            end = clock.time()
            board = drawn(prometheus, begun, end)
        finally:
            demo.terminate()
            demo.wait(60)
    (folder / "board.json").write_text(json.dumps(board))
    (folder / "height").write_text(str(max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in board["panels"]) * 38 + 90))


def drawn(prometheus: Prometheus, begun: float, end: float) -> dict[str, Any]:
    """Every panel that is not folded away, with its series between two times."""
    plain = classic(one_model())
    out = []
    for panel in _repeated([panel for panel in plain["panels"] if panel.get("collapsed") is not True]):
        series = []
        for target in panel.get("targets", []):
            expr = _filled(target["expr"], panel.get("metric", ".+"), end - begun)
            for found in _asked(prometheus, expr, target.get("instant", False), begun, end):
                name = _named(target["legendFormat"], found["metric"])
                series.append(
                    {"ref": target["refId"], "name": name, "labels": found["metric"], "values": found["values"]}
                )
        out.append({**panel, "series": series})
    return {"panels": out, "from": begun, "to": end}


def _repeated(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the panel that is repeated for each metric beside itself."""
    out = []
    for panel in panels:
        if panel.get("repeat") != "metric":
            out.append(panel)
            continue
        for index, metric in enumerate(METRICS):
            place = {**panel["gridPos"], "x": 12 * index, "w": 12}
            out.append({**panel, "title": metric, "metric": metric, "gridPos": place})
    return out


def _asked(prometheus: Prometheus, expr: str, instant: bool, begun: float, end: float) -> list[dict[str, Any]]:
    if instant:
        found = prometheus.get("/api/v1/query", query=expr, time=str(end))["result"]
        return [{"metric": item["metric"], "values": [item["value"]]} for item in found]
    times = {"start": str(begun), "end": str(end), "step": "1"}
    return list(prometheus.get("/api/v1/query_range", query=expr, **times)["result"])


def _filled(expr: str, metric: str, seconds: float) -> str:
    values = {**VALUES, "metric": metric, "__range": f"{round(seconds)}s"}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], expr)


def _named(legend: str, labels: dict[str, str]) -> str:
    if legend == "__auto":
        return ", ".join(labels.values())
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend).strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
