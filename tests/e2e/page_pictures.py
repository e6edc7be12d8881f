"""Takes the pictures of docs/page.md from a running daemon.

python -m tests.e2e.page_pictures
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from tests.e2e.page_data import watching
from tests.servers.browser import chromium, opened

DOCS = Path(__file__).parents[2] / "docs"
COLOURS = 64
"""As many do for a page of flat colours, in a third of the bytes."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, watching(Path(folder)) as daemon, chromium() as browser:
        for name, path, width, height, dark in (
            ("overview", "/", 1280, 960, False),
            ("model", "/models/parcels", 1280, 1900, False),
            ("phone", "/models/parcels?feature=colour#feature", 390, 900, True),
        ):
            with opened(browser, width=width, dark=dark) as page:
                page.set_viewport_size({"width": width, "height": height})
                page.goto(daemon.url + path)
                shot = Image.open(io.BytesIO(page.screenshot()))
            shot.quantize(COLOURS, dither=Image.Dither.NONE).save(DOCS / f"page-{name}.png", optimize=True)


if __name__ == "__main__":
    main()
