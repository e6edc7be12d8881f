"""Run the daemon: `python -m monitor.daemon --config FILE`."""

import sys
from pathlib import Path

from monitor.daemon.daemon import main

if __name__ == "__main__":
    # `watchkeeper run` gives --config FILE and nothing else: no need for argparse, which would stay in memory.
    sys.exit(main(Path(sys.argv[-1])))
