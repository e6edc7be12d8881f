"""Finds what is shipped beside the code: default rules, presets, examples, the config's JSON Schema; dashboards."""

from __future__ import annotations

import sys
from pathlib import Path

CONFIG = "config"
DASHBOARDS = "grafana/dashboards"


def shared_file(name: str) -> Path:
    """The path of `config/<name>`: in the checkout, or where the wheel put its shared data.

    Raises FileNotFoundError when this installation lacks it.
    """
    for folder in _folders(CONFIG, *_here()):
        if (path := folder / name).is_file():
            return path
    raise FileNotFoundError(f"the shipped file config/{name} is missing from this installation; reinstall watchkeeper")


def dashboard_files() -> list[Path]:
    """Return the shipped Grafana dashboards. Raises FileNotFoundError when this installation lacks them."""
    return _files(DASHBOARDS, "watchkeeper-*.json", "dashboards")


def preset_files() -> list[Path]:
    """Return the shipped presets of servers. Raises FileNotFoundError when this installation lacks them."""
    return _files(f"{CONFIG}/presets", "*.yaml", "presets")


def _files(name: str, pattern: str, what: str) -> list[Path]:
    for folder in _folders(name, *_here()):
        if found := sorted(folder.glob(pattern)):
            return found
    raise FileNotFoundError(f"the shipped {what} are missing from this installation; reinstall watchkeeper")


def _here() -> tuple[Path, Path]:
    return Path(__file__).resolve().parent.parent.parent, Path(sys.prefix)


def _folders(name: str, root: Path, prefix: Path) -> list[Path]:
    """Where shipped files may be, for packages in `root`: site-packages may hold a foreign `config/`, hence the
    look at pyproject.toml; `pip install --user` and `--target` put shared data above `root`, not in `prefix`."""
    checkout = [root / name] if (root / "pyproject.toml").is_file() else []
    above = [folder / "share" / "watchkeeper" / name for folder in (root, *root.parents)]
    return [*checkout, *above, prefix / "share" / "watchkeeper" / name]
