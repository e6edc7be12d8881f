"""The command `watchkeeper`. A command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line: exit status 0, 1 after a failure, 2 for bad usage or a bad config."""
    from checks.one_line import escaped_lines
    from monitor.cli.app import app
    from monitor.cli.failure import Failure

    try:
        app()
    except Failure as failure:
        print(escaped_lines(str(failure)), file=sys.stderr)
        sys.exit(failure.status)
