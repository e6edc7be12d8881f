"""Run the daemon: `python -m monitor.daemon --config FILE`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    try:
        from monitor.daemon.daemon import main

        # `watchkeeper run` gives --config FILE and nothing else: no need for argparse, which would stay in memory.
        sys.exit(main(Path(sys.argv[-1])))
    except KeyboardInterrupt:  # before it has begun
        sys.exit(130)
