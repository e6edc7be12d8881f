"""Writes the dashboards that are committed: python -m grafana [FOLDER]."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.alerts import alerts
from grafana.classic import classic
from grafana.fleet import fleet
from grafana.model import one_model
from grafana.self_monitoring import own
from grafana.system import system

FOLDER = Path(__file__).parent / "dashboards"
BOARDS: tuple[Callable[[], Dashboard], ...] = (fleet, one_model, system, alerts, own)


def files() -> dict[str, str]:
    """The text of each file by its name."""
    made = [classic(board()) for board in BOARDS]
    return {f"{board['uid']}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n" for board in made}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = files()
    for old in set(folder.glob("*.json")) - {folder / name for name in fresh}:
        old.unlink()
    for name, text in fresh.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
