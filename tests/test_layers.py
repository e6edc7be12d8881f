"""Imports go one way, and the daemon's process loads nothing numeric."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.lazy_import import PLAIN_SETTINGS

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "checks": {"checks"},
    "alerts": {"alerts", "checks"},
    "monitor": {"monitor", "alerts", "checks"},
}
OWN = set(ALLOWED)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_go_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        used = {name.split(".")[0] for name in imported(path)} & OWN
        assert used <= ALLOWED[package], f"{path.relative_to(ROOT)} imports {sorted(used - ALLOWED[package])}"


def test_alerts_know_the_measurement_alone() -> None:
    for path in (ROOT / "alerts").rglob("*.py"):
        inside = {name for name in imported(path) if name.split(".")[0] == "checks"}
        assert inside <= {"checks.base"}, f"{path.relative_to(ROOT)} imports {sorted(inside)}"


def test_the_daemon_loads_nothing_numeric_and_no_command_line() -> None:
    heavy = {"numpy", "pandas", "scipy", "sklearn", "evidently", "pyarrow", "alembic", "typer", "rich"}
    heavy |= {"apprise", "slack_sdk"}
    program = (
        "import sys, monitor.daemon.daemon, alerts.notify.slack; "
        f"print(*sorted({heavy!r} & {{name.split('.')[0] for name in sys.modules}}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == []


def test_the_daemon_leaves_out_what_is_imported_and_not_used() -> None:
    unused = {"argparse", "bdb", "click", "difflib", "uvicorn.main", "uvicorn.supervisors", "watchfiles"}
    unused |= {"_csv", "html.entities", "logging.handlers"}
    program = (
        "import sys, monitor.daemon.daemon, uvicorn.lifespan.off, uvicorn.protocols.http.httptools_impl; "
        f"print(*sorted({unused!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == []


def test_a_daemon_that_was_handed_its_config_loads_nothing_to_read_one() -> None:
    reading = {
        "pydantic_core",
        "typing_inspection",
        "monitor.config.load",
        "monitor.config.error_messages",
        "monitor.config.check_rules",
    }
    program = f"import sys, monitor.daemon.daemon, alerts.notify.slack; print(*sorted({reading!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-X", PLAIN_SETTINGS, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert result.stdout.split() == []
