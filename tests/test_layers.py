"""What `lint-imports` (pyproject.toml) can't hold of the layers: circles through packages, what the daemon loads."""

from __future__ import annotations

import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

from monitor.lazy_import import PLAIN_SETTINGS

ROOT = Path(__file__).parent.parent


def test_no_module_imports_itself_by_a_detour() -> None:
    """Holds for imports in functions and for types alone, too."""
    graph = grimp.build_graph("monitor", "checks", "alerts", cache_dir=None)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


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
