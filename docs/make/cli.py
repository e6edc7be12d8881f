"""Writes docs/cli.md: what `--help` says of every command, by typer's own writer.

python -m docs.make.cli
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from docs.make.configuration import slug

OUT = Path(__file__).parents[1] / "cli.md"
_HEADING = re.compile(r"#+ `(.+)`$")
_CUT = re.compile(r"\* `([a-z-]+)`: .*\.\.\.$")
"""A command whose first sentence is cut in the list of commands; it stands whole in the command's own section."""
HEAD = """# Command line

What `watchkeeper COMMAND --help` says of each command; made by `python -m docs.make.cli`. The exit status is 0, 1 after
a failure, and 2 for bad usage or a bad config.

`watchkeeper --install-completion` has your shell (bash, zsh, fish, PowerShell) complete commands and options; it adds a
line to the shell's own startup file. `--show-completion` prints what it would install.

"""


def text() -> str:
    """The page."""
    command = ["-m", "typer", "monitor.cli.app", "utils", "docs", "--name", "watchkeeper"]
    wrote = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True).stdout
    _, _, rest = wrote.partition("\n")
    rest = "\n".join(_linked(rest.split("\n")))
    # A quote needs no entity in Markdown, and reads badly where the page is read as it is.
    return HEAD + rest.replace("&#x27;", "'").replace("&quot;", '"').strip() + "\n"


def _linked(lines: Iterable[str]) -> Iterator[str]:
    """Those, with a link to its section where a command's sentence is cut."""
    above = "watchkeeper"
    for line in lines:
        if heading := _HEADING.match(line):
            above = heading[1]
        cut = _CUT.match(line)
        yield f"* [`{cut[1]}`](#{slug(f'{above} {cut[1]}')})" if cut else line


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
