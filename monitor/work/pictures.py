"""Drawing pictures, as the daemon names it. It only passes this on, so what needs numerics is imported inside."""

from __future__ import annotations

from collections.abc import Sequence

MOST_BYTES = 200_000
"""Of one image; a picture that is larger all the same is an error."""


class TooLarge(Exception):
    """An image is beyond its bound."""


def draw(url: str, ids: Sequence[str]) -> int:
    """Draws these pictures as SVG and PNG and stores them; returns how many. Raises TooLarge."""
    from checks.pictures.png import picture
    from checks.pictures.sheet import sheet
    from monitor.store import pictures
    from monitor.store.engine import open_engine

    engine, drawn = open_engine(url), 0
    try:
        for id in ids:
            title, columns = pictures.columns(engine, id)
            if not columns:
                continue
            shown = [one.distribution for one in columns]
            images = {"svg": sheet(shown).encode(), "png": picture(shown, title)}
            if (largest := max(map(len, images.values()))) > MOST_BYTES:
                raise TooLarge(f"an image of {largest} bytes is over the bound of {MOST_BYTES}")
            pictures.keep(engine, id, images)
            drawn += 1
        return drawn
    finally:
        engine.dispose()
