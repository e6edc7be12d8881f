"""Evidently's HTML, made safe for what data say."""

from __future__ import annotations

BEGIN = "<script>\n    var metric_"
END = ";\n</script>\n"


class UnknownLayout(Exception):
    """Evidently lays its page out in another way than 0.7 does."""


def quoted(html: str) -> str:
    """The page with every `<` in its data written as ``\\u003c``: Evidently 0.7 puts them into a script as they are,
    so that a category named `</script>…` would end it, and go on as markup. Raises UnknownLayout."""
    begin = html.find(BEGIN)
    # JSON holds no line's end, so this is the first that is not data.
    end = html.find(END, begin)
    if begin < 0 or end < 0:
        raise UnknownLayout("Evidently's page has another layout than that of 0.7; set html: false for this check")
    begin += len("<script>")
    return html[:begin] + html[begin:end].replace("<", "\\u003c") + html[end:]
