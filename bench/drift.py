"""Drift of whole tables: ours in profile mode and exactly, beside Evidently, NannyML and others on the same frames.

    python -m bench.drift [--quick] [--only 1M] [--json FILE]

Each measurement is a process of its own: its seconds are without imports and, for the peers, without reading the files
(they get frames in memory); ours are with decoding the Parquet file unless it says 'in memory'. The peak is the
process's largest RSS, with the frames where they lie in memory. Peers are installed by uv into `.venv-peers/`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.frames import write
from bench.table import Row, markdown

HERE = Path(__file__).parent
VENVS = HERE.parent / ".venv-peers"
PEERS = ("nannyml", "alibi-detect", "frouros", "whylogs")
PATIENCE = 1500.0
"""Seconds after which a peer is given up."""


@dataclass(frozen=True)
class Result:
    seconds: float
    peak_mb: float
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def figure(self) -> str:
        return f"{self.seconds:.2f} s, {self.peak_mb:,.0f} MB"

    @property
    def drifted(self) -> set[str]:
        return {name for name, column in self.columns.items() if column["drifted"]}


def own(what: str, folder: Path, runs: int = 3) -> Result:
    """The fastest of some runs, with the largest peak."""
    results = [_run([sys.executable, "-m", "bench.drift_own", what, str(folder)]) for _ in range(runs)]
    done = [result for result in results if isinstance(result, Result)]
    if not done:
        raise SystemExit(f"bench.drift_own {what} failed: {results[0]}")
    best = min(done, key=lambda result: result.seconds)
    return Result(best.seconds, max(result.peak_mb for result in done), best.columns)


def peer(name: str, folder: Path) -> Result | str:
    """One run of a peer, or why there is none."""
    python = Path(sys.executable) if name == "evidently" else installed(name)
    if isinstance(python, str):
        return python
    script = HERE / "peers" / f"{name.replace('-', '_')}_run.py"
    return _run([str(python), str(script), str(folder / "reference.parquet"), str(folder / "current.parquet")])


def installed(name: str) -> Path | str:
    """The Python of the peer's own environment, made once, or why there is none."""
    python = VENVS / name / "bin" / "python"
    if python.exists():
        return python
    uv = [sys.executable, "-m", "uv"]
    # NannyML takes no Python after 3.12.
    version = sys.executable if sys.version_info < (3, 13) else "3.12"
    wanted = str(HERE / "peers" / f"{name}.txt")
    for command in (
        [*uv, "venv", "--quiet", "--clear", "--python", version, str(VENVS / name)],
        [*uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", wanted],
    ):
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            python.unlink(missing_ok=True)
            return (
                f"not installed: {done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else 'no reason'}"
            )
    return python


def _run(command: list[str]) -> Result | str:
    # Some settings of the BLAS slow numpy down; a peer's telemetry would wait for a network.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    environment |= {"NML_DISABLE_USAGE_LOGGING": "1", "WHYLOGS_NO_ANALYTICS": "True", "DO_NOT_TRACK": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    except subprocess.TimeoutExpired:
        return f"not done within {PATIENCE:.0f} s"
    if done.returncode:
        return "failed: " + (done.stderr.strip().splitlines() or ["without a word"])[-1][:200]
    return Result(**json.loads(done.stdout.strip().splitlines()[-1]))


def shape(label: str, rows: int, columns: int, peers: tuple[str, ...], peak: float, folder: Path) -> Iterator[Row]:
    """One pair of frames: ours, then the peers."""
    write(folder / "reference.parquet", rows, columns, seed=1, current=False)
    write(folder / "current.parquet", rows, columns, seed=2, current=True)
    build, profile, frame = own("build", folder, 1), own("profile", folder), own("frame", folder)
    results = {name: peer(name, folder) for name in peers}
    known = {name: result for name, result in results.items() if isinstance(result, Result)}
    fastest = min((result.seconds for result in known.values()), default=None)
    ratio = fastest / profile.seconds if fastest is not None else None
    what = f"drift of {label}, profile mode, with decoding"
    if ratio is None:
        yield Row(what, profile.figure, f"≤ {peak:.0f} MB", profile.peak_mb <= peak)
    else:
        met = ratio >= 10 and profile.peak_mb <= peak
        yield Row(what, f"{profile.figure}; {ratio:.0f} × the fastest peer", f"≥ 10 ×, ≤ {peak:.0f} MB", met)
    yield Row("… rows in memory as an Arrow table", frame.figure, "reported", None)
    yield Row("… the reference built once (bins, profile, limits)", build.figure, "reported", None)
    for name, result in results.items():
        yield _peer_row(name, result, profile)
    for preset in ("evidently", "nannyml"):
        if preset in known:
            yield from _exact_rows(label, preset, own(preset, folder, 1), known[preset])


def _peer_row(name: str, result: Result | str, profile: Result) -> Row:
    if isinstance(result, str):
        return Row(f"… {name}", result, "a peer", None)
    ratio = result.seconds / profile.seconds
    figure = f"{result.figure}; ours is {ratio:,.0f} ×; {len(result.drifted)} columns drifted"
    if name == "evidently":
        return Row(f"… {name}", figure, "≥ 200 ×", ratio >= 200)
    return Row(f"… {name}", figure, "a peer", None)


def _exact_rows(label: str, preset: str, exact: Result, library: Result) -> Iterator[Row]:
    """Exact mode beside the library that it equals: the time, the largest difference by method, and the flags."""
    both = exact.columns.keys() & library.columns.keys()
    apart: dict[str, float] = {}
    for name in both:
        ours, theirs = exact.columns[name]["value"], library.columns[name]["value"]
        if ours is not None:
            method = exact.columns[name]["method"]
            apart[method] = max(apart.get(method, 0.0), abs(ours - theirs))
    same = sum(exact.columns[name]["drifted"] == library.columns[name]["drifted"] for name in both)
    differences = ", ".join(f"{method} {value:.1e}" for method, value in sorted(apart.items())) or "none to compare"
    figure = f"{exact.figure}; {library.seconds / exact.seconds:.1f} × {preset}"
    yield Row(f"… exact mode, `preset: {preset}`", figure, "reported", None)
    yield Row(
        "… … largest difference by method; equal flags", f"{differences}; {same} of {len(both)}", "reported", None
    )


def slope(columns: int, sizes: tuple[int, ...], target: int, folder: Path) -> Iterator[Row]:
    """Profile mode at three sizes, and what that predicts for a table as large as the one a user waited 6 hours for."""
    write(folder / "reference.parquet", sizes[0], columns, seed=1, current=False)
    own("build", folder, 1)
    points = []
    for rows in sizes:
        write(folder / "current.parquet", rows, columns, seed=2, current=True)
        done = own("profile", folder)
        points.append((rows, done))
        yield Row(f"drift of {rows:,} × {columns:,}, profile mode, with decoding", done.figure, "reported", None)
    (low, first), (high, last) = points[0], points[-1]
    each = (last.seconds - first.seconds) / (high - low)
    predicted = last.seconds + each * (target - high)
    figure = f"{predicted:.0f} s, from {each * 1e6:.1f} s a million rows"
    yield Row(f"… predicted for {target:,} × {columns:,}", figure, "≤ 60 s", predicted <= 60)


def measure(quick: bool, only: str = "") -> list[Row]:
    """The rows of the table; `quick` runs small frames and few peers, to see that it works."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if quick:
            return list(shape("20 k × 20", 20_000, 20, ("evidently",), 500, folder))
        if only in ("", "1M"):
            rows += shape("1 M × 50", 1_000_000, 50, ("evidently", *PEERS), 500, folder)
        if only in ("", "100k"):
            rows += shape("100 k × 1,000", 100_000, 1_000, PEERS, 600, folder)
        if only in ("", "slope"):
            rows += slope(1_000, (100_000, 200_000, 300_000), 3_000_000, folder)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["1M", "100k", "slope"], default="")
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    made = measure(options.quick, options.only)
    if options.json:
        options.json.write_text(json.dumps([row._asdict() for row in made], indent=2, ensure_ascii=False))
    print(markdown(made))
