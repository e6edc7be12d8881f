"""`watchkeeper report`: two files compared, without a daemon, config or database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.context import ModelOption
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from checks.data.csv_options import CsvOptions
    from checks.report.report import Report
    from monitor.settings.model import ModelSettings

DRIFTED = 3
"""Exit status where drift was asked to be one."""
LONG = 1 << 20  # bytes from which on files take long enough for a progress bar

File = Annotated[Path | None, typer.Option(metavar="FILE")]


def report(
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            "-r",
            metavar="FILE",
            help="What is normal: Parquet, CSV, JSON lines or Arrow. Else the config's.",
        ),
    ] = None,
    current: Annotated[
        Path | None, typer.Option("--current", metavar="FILE", help="What is compared with it: the same kinds.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            metavar="PRESET",
            help="Whose methods and thresholds: calibrated (limits learned from the reference), or exactly those of "
            "evidently or nannyml.",
        ),
    ] = "calibrated",
    method: Annotated[
        str | None, typer.Option(metavar="METHOD", help="This method instead of the preset's own.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Only these columns; one with a comma in its name in quotes: '\"a,b\",c'."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="A,B", help="Not these columns, written so.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write a page that stands alone; - is stdout.")] = "",
    png: Annotated[str, typer.Option(metavar="FILE", help="Write a picture of what moved most; - is stdout.")] = "",
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help=f"Exit with {DRIFTED} if a column drifted.")
    ] = False,
    fail_on_quality: Annotated[
        bool,
        typer.Option(
            "--fail-on-quality",
            help=f"Exit with {DRIFTED} if a column is beyond a quality limit (missing values, new categories …), or "
            "can't be compared with what it was.",
        ),
    ] = False,
    separator: Annotated[
        str | None, typer.Option(metavar="C", help="What stands between cells in both CSV files; else found out.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="How both CSV files store letters, such as cp1252.")
    ] = None,
    decimal: Annotated[str | None, typer.Option(metavar="C", help="The decimal mark of both CSV files: . or ,")] = None,
    thousands: Annotated[
        str | None, typer.Option(metavar="C", help="What stands between groups of three digits; '' for nothing.")
    ] = None,
    nulls: Annotated[
        list[str] | None, typer.Option("--null", metavar="TEXT", help="A cell that is missing; may be given again.")
    ] = None,
    dates: Annotated[
        str | None, typer.Option(metavar="ORDER", help="day-first or month-first, of dates such as 03/12/2026.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Take reference, schema, bins and importance from it."),
    ] = None,
    model: ModelOption = None,
) -> None:
    """Compare two files column by column: drift, quality, and what moved.

    Example: watchkeeper report --reference train.parquet --current today.parquet --html report.html --fail-on-drift
    """
    settings = _settings(config, model)
    before = reference or (settings.reference_file if settings else None)
    if before is None or current is None:
        raise Failure("give both --reference FILE and --current FILE", 2)
    if [as_json, html == "-", png == "-"].count(True) > 1:
        raise Failure("only one of --json, --html - and --png - can go to stdout", 2)
    said = {
        "separator": {"\\t": "\t", "tab": "\t"}.get(separator or "", separator),
        "encoding": encoding,
        "decimal": decimal,
        "thousands": thousands,
        "nulls": nulls or None,
        "dates": dates,
    }
    csv = _csv(settings, {name: value for name, value in said.items() if value is not None})
    with _progress(before, current) as progress:
        made = _compare(before, current, preset, method, columns or [], ignore or [], settings, csv, progress)
    if html:
        _write(html, made.to_html().encode("utf-8", "replace"))
    if png:
        _write(png, made.to_png())
    if as_json:
        print(made.to_json())
    elif not html and not png:
        from monitor.cli.report_table import print_report

        print_report(made)
    if (fail_on_drift and made.drifted) or (fail_on_quality and made.worse):
        raise typer.Exit(DRIFTED)


def _compare(
    before: Path,
    now: Path,
    preset: str,
    method: str | None,
    columns: list[str],
    ignore: list[str],
    settings: ModelSettings | None,
    csv: CsvOptions,
    progress: Callable[[float], None],
) -> Report:
    from checks.data.schema import SchemaError, SchemaOverrides
    from checks.report.comparison import compare
    from monitor.worker.messages import ModelOptions
    from monitor.worker.stored.references import file_columns

    given, bins = SchemaOverrides(), 10
    importance: dict[str, float] = {}
    if settings is not None:
        options = ModelOptions.of(settings)
        given, bins = options.schema, options.bins
        importance = dict(options.checks.importance)
    try:
        with file_columns(str(before), csv) as reference, file_columns(str(now), csv, "current file") as current:
            progress(0.1)
            known = reference.schema.names
            left_out = [*_names(ignore, known), *(options.checks.ignore if settings is not None else ())]
            return compare(
                reference,
                current,
                preset=preset,  # type: ignore[arg-type]
                method=method,
                columns=_names(columns, known) or None,
                ignore=left_out,
                schema=given,
                bins=bins,
                importance=importance,
                names=(before.name, now.name),
                progress=lambda share: progress(0.1 + 0.9 * share),
            )
    except SchemaError as error:
        raise Failure(str(error), 2) from None


def _settings(config: Path | None, model: str | None) -> ModelSettings | None:
    if config is None:
        if model is not None:
            raise Failure("--model names a model of a config; give --config FILE too", 2)
        return None
    from monitor.cli.context import load_config, models_of

    chosen = models_of(load_config(config), model)
    if len(chosen) > 1:
        raise Failure(f"say which model: --model {' or '.join(item.model for item in chosen)}", 2)
    return chosen[0]


def _csv(settings: ModelSettings | None, said: dict[str, Any]) -> CsvOptions:
    """How the files are written: as the config says, and the options before it. Raises Failure."""
    from pydantic import ValidationError

    from monitor.settings.reference import CsvSettings

    stated = settings.reference.csv.model_dump() if settings is not None and settings.reference else {}
    try:
        return CsvSettings(**stated | said).options()
    except ValidationError as error:
        first = error.errors()[0]
        option = f"--{first['loc'][0]}: " if first["loc"] else ""
        raise Failure(option + first["msg"].removeprefix("Value error, "), 2) from None


def _names(given: list[str], known: list[str]) -> list[str]:
    """The columns that these options name: each holds names between commas, and a name that itself has a comma is
    found where the table has it, or stands in quotes."""
    return [name for text in given for name in _split(text, known)]


def _split(text: str, known: list[str]) -> list[str]:
    """
    >>> _split('a,b,c', ["a", "b,c"]), _split('"b,c", a', [])
    (['a', 'b,c'], ['b,c', 'a'])
    """
    import csv

    if '"' in text and text not in known:
        return [name.strip() for name in next(csv.reader([text], skipinitialspace=True)) if name.strip()]
    parts, found = text.split(","), []
    while parts:
        ends = (end for end in range(len(parts), 1, -1) if ",".join(parts[:end]).strip() in known)
        end = next(ends, 1)
        found.append(",".join(parts[:end]).strip())
        parts = parts[end:]
    return [name for name in found if name]


def _write(to: str, data: bytes) -> None:
    if to == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        Path(to).write_bytes(data)
    except OSError as error:
        raise Failure(f"{to} can't be written: {error.strerror}", 2) from None
    print(f"written to {to}", file=sys.stderr)


@contextmanager
def _progress(*files: Path) -> Iterator[Callable[[float], None]]:
    """A bar on stderr, if that is a terminal and the files are large."""
    large = sum(file.stat().st_size for file in files if file.exists()) > LONG
    if not large or not sys.stderr.isatty():
        yield lambda _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    shown: Any = (TextColumn("comparing"), BarColumn(), TimeElapsedColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)
