"""`watchkeeper dashboards …`: the shipped Grafana dashboards."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.failure import Failure

app = typer.Typer(no_args_is_help=True, help="The shipped Grafana dashboards.")


@app.callback()
def dashboards() -> None:
    """The shipped Grafana dashboards."""


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them; made if it is not there.")],
    page: Annotated[
        str, typer.Option("--page", metavar="URL", help="Where people reach Watchkeeper's status page, for links.")
    ] = "",
    kubernetes: Annotated[
        bool,
        typer.Option(
            "--kubernetes",
            help="Write a ConfigMap for each, with the label grafana_dashboard that Grafana's sidecar wants.",
        ),
    ] = False,
) -> None:
    """Write the dashboards for Grafana 10 to 13, for import or provisioning.

    Example: watchkeeper dashboards export /var/lib/grafana/dashboards --page https://watchkeeper.example.com
    """
    from alerts.url import url_problem

    if page and (wrong := url_problem(page)):
        raise Failure(f"--page: {wrong}", 2)
    boards = [_read(path, page.rstrip("/")) for path in _shipped()]
    files = [_config_map(board) if kubernetes else _plain(board) for board in boards]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files:
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{error.filename or folder} can't be written: {error.strerror}", 1) from None
    print(f"{len(files)} dashboards written to {folder}", file=sys.stderr)


def _shipped() -> list[Path]:
    from monitor.settings.shipped_files import dashboard_files

    try:
        return dashboard_files()
    except FileNotFoundError as error:
        raise Failure(str(error), 1) from None


def _read(path: Path, page: str) -> dict[str, Any]:
    """A dashboard whose links go to `page`, where that is given."""
    board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for variable in board["templating"]["list"]:
        if variable["name"] == "page" and page:
            variable["query"] = page
            variable["current"] = {"selected": True, "text": page, "value": page}
    return board


def _plain(board: dict[str, Any]) -> tuple[str, str]:
    return f"{board['uid']}.json", json.dumps(board, indent=1, ensure_ascii=False) + "\n"


def _config_map(board: dict[str, Any]) -> tuple[str, str]:
    """One each, and without spaces: `kubectl apply` keeps a copy in an annotation of at most 256 KiB."""
    import yaml

    data = json.dumps(board, ensure_ascii=False, separators=(",", ":"))
    named = {"name": board["uid"], "labels": {"app.kubernetes.io/name": "watchkeeper", "grafana_dashboard": "1"}}
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": {f"{board['uid']}.json": data}}
    return f"{board['uid']}.yaml", yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=10**9)
