"""The command `watchkeeper`. A command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line: exit status 0, 1 after a failure, 2 for bad usage or a bad config."""
    from alerts.redact import redacted
    from checks.one_line import escaped_lines
    from monitor.cli.app import app
    from monitor.cli.failure import Failure

    try:
        app()
    except Failure as failure:
        sys.stdout.flush()  # the error stands last, also where both go to one file
        print(escaped_lines(redacted(str(failure))), file=sys.stderr)
        sys.exit(failure.status)
    except Exception:  # noqa: BLE001 - the process ends with the traceback that Python would print, without secrets
        import traceback

        sys.stdout.flush()
        sys.stderr.write(redacted(traceback.format_exc()))
        sys.exit(1)
