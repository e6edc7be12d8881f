"""The report that callers get: a comparison that renders itself."""

from __future__ import annotations

from html import escape

from checks.report.page import page
from checks.report.result import Comparison


class Report(Comparison):
    """A comparison that can be written as a page or a picture, and that a notebook displays."""

    __slots__ = ()

    def to_html(self) -> str:
        """Return a page that stands alone (`checks.report.page`)."""
        return page(self)

    def to_png(self) -> bytes:
        """Return a picture of the columns that moved most (`checks.pictures.png`)."""
        from checks.pictures.png import picture

        drawn = [column for column in self.ranked if column.distribution is not None]
        moved = [column for column in drawn if column.drifted or column.breaches] or drawn
        return picture([column.distribution for column in moved if column.distribution is not None])

    def _repr_html_(self) -> str:
        """Return what a notebook displays: the page in a frame of its own, so that its style stays there."""
        return f'<iframe srcdoc="{escape(self.to_html())}" sandbox style="width:100%;height:48rem;border:0"></iframe>'
