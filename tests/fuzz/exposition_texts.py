"""Pages of metrics as servers, visitors and faults make them, for whatever reads the server's page."""

from __future__ import annotations

import math
import random
from pathlib import Path

from monitor.collectors.server.increase import Baseline
from monitor.collectors.server.parse import read
from monitor.collectors.server.preset import Counter, Histogram, Preset
from monitor.collectors.server.processes import Processes
from monitor.collectors.server.quantile import quantile, without_fastest
from monitor.collectors.server.scrape import ScrapeError
from tests.fuzz.inputs import Part

PRESET = Preset(
    requests=[Counter(counter="n_total", handler="path")],
    errors=[Counter(counter="n_total", handler="path", where={"code": "5.."})],
    latency=Histogram(histogram="took", handler="path"),
)
NAMES = ["n_total", "n", "n_created", "took_bucket", "took_sum", "took_created", "process_start_time_seconds", "other"]
VALUES = ["0", "1", "5.0", "7e3", "1e308", "-1", "NaN", "+Inf", "1_0", "٣", "", "1 1700000000000", '1 # {t="x"} 2', "x"]
TEXTS = [
    "/p",
    "/metrics",
    "500",
    "200",
    "0.1",
    "+Inf",
    "NaN",
    "\u2028",
    "\x85",
    "\x0c",
    r"\n\"\\",
    "}",
    ",",
    "😀",
    '"',
    "\\",
]
PIECES = [
    b"\n",
    b"\r\n",
    b"\r",
    b"{",
    b"}",
    b'"',
    b"\\",
    b"#",
    b" ",
    b"\t",
    b"\0",
    b"\xff",
    b",",
    b"=",
    b"\xe2\x80\xa8",
]


def make(random: random.Random) -> bytes:
    """Return two pages, parted by a zero byte and LF."""
    pages = [_page(random) for _ in range(2)]
    return b"\0\n".join(_spoilt(page, random) if random.random() < 0.3 else page for page in pages)


def _page(random: random.Random) -> bytes:
    lines = [_line(random) for _ in range(random.randrange(30))]
    comments = ["# TYPE n_total counter", "# HELP took x", "# EOF", "#", ""]
    return "\n".join([*random.sample(comments, 2), *lines, ""]).encode()


def _line(random: random.Random) -> str:
    name, value = random.choice(NAMES), random.choice(VALUES if random.random() < 0.02 else VALUES[:4])
    given = random.sample(["path", "code", "le", "x"], random.randrange(4))
    labels = ",".join(f'{label}="{random.choice(_texts(random))}"' for label in given)
    return f"{random.choice(['', ' '])}{name}{f'{{{labels}}}' if labels else ''} {value}"


def _texts(random: random.Random) -> list[str]:
    """Return what to choose a label's value from; quotes and backslashes, which end it, are rare."""
    return TEXTS if random.random() < 0.01 else TEXTS[: random.choice((6, 14))]


def _spoilt(page: bytes, random: random.Random) -> bytes:
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(page) + 1)
        page = page[:at] + random.choice(PIECES) * random.choice((1, 1, 1, 3000)) + page[at + random.randrange(3) :]
    return page


def take(content: bytes, folder: Path) -> None:
    """Read both pages, and measure what came between; every count must be a number from 0 on."""
    baseline, processes = Baseline(300.0), Processes()
    for moment, page in enumerate(content.split(b"\0\n")):
        try:
            totals = read(page, PRESET, ["/metrics"], 0.5)
        except ScrapeError as error:
            assert all(character.isprintable() for character in str(error)), "an error that can't be printed"
            assert len(str(error)) < 5000, "an error that nobody can read"
            raise
        counts = baseline.take(totals, 15.0 * moment)
        processes.judge(totals, counts)
        found = [counts.requests, counts.errors, counts.excluded, *counts.buckets.values()]
        assert all(math.isfinite(count) and count >= 0 for count in found), "a count that is none"
        value = quantile(0.95, without_fastest(counts.buckets, counts.excluded))
        assert value is None or math.isfinite(value), "a quantile that is none"
        said = totals.latency_problem(PRESET) + totals.refused_counter + totals.skipped
        assert all(character.isprintable() for character in said), "a sentence that can't be printed"


PART = Part("exposition", 60_000, make, take, (ScrapeError,))
