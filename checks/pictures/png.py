"""Distributions as one PNG, small multiples: for messages and files. Loads matplotlib: not for the daemon."""

from __future__ import annotations

import io
import logging
import math
import textwrap
import warnings
from collections.abc import Sequence

import matplotlib
import matplotlib.patches
import matplotlib.ticker
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from checks.one_line import one_line
from checks.pictures.distribution import Distribution, coarse
from checks.wording import percent

MOST = 6
"""Distributions in one picture."""
MOST_BYTES = 50_000
WIDTH, ROW = 4.2, 2.55  # inches of one distribution, with its title
DPI = 100
COLOURS = 32
REFERENCE, CURRENT, INK, SOFT, GRID = "#a3adb8", "#2563c9", "#1b1f24", "#59636e", "#e3e7eb"
LABELS = 5  # names at the axis of numbers

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell of its font cache


def picture(distributions: Sequence[Distribution], title: str = "", most_bytes: int = MOST_BYTES) -> bytes:
    """A PNG of the first MOST distributions, two in a row, of at most `most_bytes`. Raises ValueError without any."""
    if not distributions:
        raise ValueError("there is no distribution to draw")
    shown = [coarse(distribution) for distribution in distributions[:MOST]]
    # Names from data are no formulas, whatever dollar signs they hold; a glyph that the font lacks is a box.
    with matplotlib.rc_context({"text.parse_math": False, "font.family": "DejaVu Sans"}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = _figure(shown, title)
        for dpi in (DPI, 80, 60, 40):
            data = _packed(figure, dpi)
            if len(data) <= most_bytes:
                break
    return data


def _figure(shown: list[Distribution], title: str) -> Figure:
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = Figure(figsize=(WIDTH * columns, ROW * rows + 0.5), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for place, own in enumerate(axes.flat):
        if place < len(shown):
            _draw(own, shown[place])
        else:
            own.set_visible(False)
    handles = [matplotlib.patches.Patch(color=colour) for colour in (REFERENCE, CURRENT)]
    figure.legend(handles, ["reference", "now"], loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    if title:
        figure.suptitle(_line(title, 90), fontsize=10, color=INK)
    return figure


def _draw(axes: Axes, shown: Distribution) -> None:
    axes.set_title(
        f"{_line(shown.name, 40)}\n{textwrap.fill(_line(shown.why, 110), 58)}" if shown.why else _line(shown.name, 40),
        fontsize=8,
        color=INK,
        loc="left",
    )
    (_columns if shown.numeric else _rows)(axes, shown)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=7, colors=SOFT, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def _columns(axes: Axes, shown: Distribution) -> None:
    places = range(len(shown.bins))
    axes.bar([place + 0.29 for place in places], shown.reference, 0.42, color=REFERENCE)
    axes.bar([place + 0.71 for place in places], shown.current, 0.42, color=CURRENT)
    known = shown.axis
    ticks = known[:: max(1, -(-len(known) // LABELS))]
    axes.set_xticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda share, _: percent(share))
    axes.set_xlim(0, len(shown.bins))


def _rows(axes: Axes, shown: Distribution) -> None:
    places = range(len(shown.bins))
    axes.barh([place - 0.2 for place in places], shown.reference, 0.38, color=REFERENCE)
    axes.barh([place + 0.2 for place in places], shown.current, 0.38, color=CURRENT)
    axes.set_yticks(list(places), [_line(name, 18) for name in shown.bins])
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda share, _: percent(share))
    axes.invert_yaxis()


def _line(text: str, longest: int) -> str:
    """On one line, cut."""
    return one_line(text, longest).encode("utf-8", "replace").decode()


def _packed(figure: Figure, dpi: int) -> bytes:
    """As a PNG of few colours, a third of the size."""
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=dpi)
    with Image.open(raw) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, format="PNG", optimize=True)
    return small.getvalue()
